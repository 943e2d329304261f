/**
 * `cumulate`: running sum or maximum. An exclusive one starts from the function's neutral element: 0 or −∞.
 *
 * The maximum, which tfjs lacks, is taken by doubling: after step i every element covers 2ⁱ positions.
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { Context } from "./context.js";
import { threeAxes } from "./layout.js";

export function createCumulate(context: Context) {
  const { tf } = context;

  /** [rows, size] moved along by some positions, −∞ coming in. */
  const moved = (rows: Tensor, by: number, reverse: boolean): Tensor => {
    const [n, size] = rows.shape as [number, number];
    const kept = tf.slice(rows, [0, reverse ? by : 0], [-1, size - by]);
    const fill = tf.fill([n, by], -Infinity);
    return tf.concat(reverse ? [kept, fill] : [fill, kept], 1);
  };
  const runningMaximum = (rows: Tensor, reverse: boolean, exclusive: boolean): Tensor => {
    let value = exclusive ? moved(rows, 1, reverse) : rows;
    for (let by = 1; by < rows.shape[1]!; by *= 2) value = tf.maximum(value, moved(value, by, reverse));
    return value;
  };

  return (x: Tensor, fn: "sum" | "max", axis: number, reverse: boolean, exclusive: boolean): Tensor => {
    const view = tf.cast(threeAxes(context, x, axis), "float32");
    const [before, size, after] = view.shape as [number, number, number];
    const rows = tf.reshape(tf.transpose(view, [0, 2, 1]), [before * after, size]);
    // The axis is given as 1: cumsum(−1) reads out of bounds on WebAssembly.
    const value = fn === "sum" ? tf.cumsum(rows, 1, exclusive, reverse) : runningMaximum(rows, reverse, exclusive);
    return tf.reshape(tf.transpose(tf.reshape(value, [before, after, size]), [0, 2, 1]), x.shape);
  };
}
