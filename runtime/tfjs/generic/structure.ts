/** Cutting, filling and joining along one axis, always on the rank-3 view [before, axis, after]. */

import type { Tensor, Tensor3D } from "@tensorflow/tfjs";
import type { Context } from "./context.js";
import { threeAxes, withSize, view } from "./layout.js";

export function createSlice(context: Context) {
  const { tf } = context;
  return (x: Tensor, axis: number, start: number, size: number): Tensor => {
    const whole = threeAxes(x, axis);
    return view(tf.slice(whole, [0, start, 0], [-1, size, -1]), withSize(x.shape, axis, size));
  };
}

export function createPad(context: Context) {
  const { tf } = context;
  return (x: Tensor, axis: number, before: number, after: number): Tensor => {
    const whole = threeAxes(x, axis) as Tensor3D;
    const padded = tf.pad3d(whole, [
      [0, 0],
      [before, after],
      [0, 0],
    ]);
    return view(padded, withSize(x.shape, axis, x.shape[axis]! + before + after));
  };
}

export function createConcat(context: Context) {
  const { tf } = context;
  return (xs: readonly Tensor[], axis: number): Tensor => {
    const size = xs.reduce((sum, x) => sum + x.shape[axis]!, 0);
    const joined = tf.concat(
      xs.map((x) => threeAxes(x, axis)),
      1,
    );
    return view(joined, withSize(xs[0]!.shape, axis, size));
  };
}

/** y[i] = x[i − by], zero outside. */
export function createShift(context: Context) {
  const { tf } = context;
  return (x: Tensor, axis: number, by: number): Tensor => {
    const size = x.shape[axis]!;
    const distance = Math.abs(by);
    if (distance >= size) return view(tf.zeros([x.size], x.dtype as "float32" | "int32"), x.shape);
    if (distance === 0) return tf.clone(x);
    const whole = threeAxes(x, axis);
    const kept = tf.slice(whole, [0, Math.max(-by, 0), 0], [-1, size - distance, -1]);
    const zeros = tf.zeros(
      [whole.shape[0]!, distance, whole.shape[2]!],
      x.dtype as "float32" | "int32",
    );
    return view(tf.concat(by > 0 ? [zeros, kept] : [kept, zeros], 1), x.shape);
  };
}
