/**
 * `cumulate`: running sum or maximum. An exclusive one starts from the function's neutral element: 0 or −∞.
 *
 * The maximum, which tfjs lacks, is taken by doubling: after step i every element covers 2ⁱ positions. So is
 * the sum on WebGPU, whose cumsum is compiled for one length and then used for others.
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { Context } from "./context.js";
import { threeAxes, toFloat } from "./layout.js";

export function createCumulate(context: Context) {
  const { tf, can } = context;

  const doubling = (
    rows: Tensor,
    fn: "sum" | "max",
    reverse: boolean,
    exclusive: boolean,
  ): Tensor => {
    const [n, size] = rows.shape as [number, number];
    const neutral = fn === "sum" ? 0 : -Infinity;
    const moved = (value: Tensor, by: number): Tensor => {
      const kept = tf.slice(value, [0, reverse ? by : 0], [-1, size - by]);
      const fill = tf.fill([n, by], neutral);
      return tf.concat(reverse ? [kept, fill] : [fill, kept], 1);
    };
    let value = exclusive ? (size === 1 ? tf.fill([n, 1], neutral) : moved(rows, 1)) : rows;
    for (let by = 1; by < size; by *= 2) {
      const other = moved(value, by);
      value = fn === "sum" ? tf.add(value, other) : tf.maximum(value, other);
    }
    return value;
  };

  return (
    x: Tensor,
    fn: "sum" | "max",
    axis: number,
    reverse: boolean,
    exclusive: boolean,
  ): Tensor => {
    const view = toFloat(context, threeAxes(context, x, axis));
    const [before, size, after] = view.shape as [number, number, number];
    const rows = tf.reshape(tf.transpose(view, [0, 2, 1]), [before * after, size]);
    const value =
      fn === "sum" && can.cumsum
        ? tf.cumsum(rows, 1, exclusive, reverse) // cumsum(−1) would read out of bounds on WebAssembly
        : doubling(rows, fn, reverse, exclusive);
    return tf.reshape(tf.transpose(tf.reshape(value, [before, after, size]), [0, 2, 1]), x.shape);
  };
}
