/**
 * `cumulate`: running sum or maximum. An exclusive one starts from the function's neutral element: 0 or −∞.
 *
 * The maximum, which tfjs lacks, is taken by doubling: after step i every element covers 2ⁱ positions. So is
 * the sum on WebGPU, whose cumsum is compiled for one length and then used for others.
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { Context } from "./context.js";
import { threeAxes, toFloat, view } from "./layout.js";

/** Where cumsum is slow: sizes up to which a product with a matrix of ones is faster. */
const shortAxis = 64;

export function createCumulate(context: Context) {
  const { tf, can } = context;

  const doubling = (x: Tensor, fn: "sum" | "max", reverse: boolean, exclusive: boolean): Tensor => {
    const [before, size, after] = x.shape as [number, number, number];
    const neutral = fn === "sum" ? 0 : -Infinity;
    const moved = (value: Tensor, by: number): Tensor => {
      const fill = tf.fill([before, by, after], neutral);
      if (by === size) return fill;
      const kept = tf.slice(value, [0, reverse ? by : 0, 0], [-1, size - by, -1]);
      return tf.concat(reverse ? [kept, fill] : [fill, kept], 1);
    };
    let value = exclusive ? moved(x, 1) : x;
    for (let by = 1; by < size; by *= 2) {
      const other = moved(value, by);
      value = fn === "sum" ? tf.add(value, other) : tf.maximum(value, other);
    }
    return value;
  };

  /** Sums are products with ones on one side of the diagonal. */
  const byProduct = (x: Tensor, size: number, reverse: boolean, exclusive: boolean): Tensor => {
    const counts = (to: number, from: number): boolean =>
      (exclusive && to === from) || (reverse ? from < to : from > to);
    const ones = Float32Array.from({ length: size * size }, (_, i) =>
      Number(!counts(Math.floor(i / size), i % size)),
    );
    return tf.matMul(view(tf.tensor1d(ones), [1, size, size]), x);
  };

  return (
    x: Tensor,
    fn: "sum" | "max",
    axis: number,
    reverse: boolean,
    exclusive: boolean,
  ): Tensor => {
    const whole = toFloat(context, threeAxes(x, axis));
    const size = x.shape[axis]!;
    if (fn === "sum" && can.slowCumsum && size <= shortAxis)
      return view(byProduct(whole, size, reverse, exclusive), x.shape);
    const value =
      fn === "sum" && can.cumsum
        ? tf.cumsum(whole, 1, exclusive, reverse) // cumsum(−1) would read out of bounds on WebAssembly
        : doubling(whole, fn, reverse, exclusive);
    return view(value, x.shape);
  };
}
