/** slice, pad, concat, shift: rows copied on the view [before, axis, after]. */

import type { Tensor } from "@tensorflow/tfjs";
import type { KernelSet } from "../kernel-set.js";
import { product } from "../letters.js";
import type { Heap } from "./heap.js";
import type { RowMover } from "./rows.js";

type Structure = Pick<KernelSet, "slice" | "pad" | "concat" | "shift">;

/** Rows before the axis, words of one step along it, and the steps. */
interface View {
  readonly before: number;
  readonly step: number;
  readonly size: number;
}

export function viewAlong(shape: readonly number[], axis: number): View {
  return {
    before: product(shape.slice(0, axis)),
    size: shape[axis]!,
    step: product(shape.slice(axis + 1)),
  };
}

export function withSize(shape: readonly number[], axis: number, size: number): number[] {
  return shape.map((old, i) => (i === axis ? size : old));
}

export function createStructure(heap: Heap, rows: RowMover): Structure {
  /** Steps [start, start + count) of x to steps from `at` on of y. */
  const move = (
    y: Tensor,
    at: number,
    x: Tensor,
    start: number,
    count: number,
    axis: number,
  ): void => {
    const { before, step, size } = viewAlong(x.shape, axis);
    const to = heap.address(y) + 4 * at * step;
    const from = heap.address(x) + 4 * start * step;
    rows.copy(to, from, before, count * step, 4 * y.shape[axis]! * step, 4 * size * step);
  };
  const clear = (y: Tensor, at: number, count: number, axis: number): void => {
    const { before, step, size } = viewAlong(y.shape, axis);
    if (count > 0)
      rows.zero(heap.address(y) + 4 * at * step, before, count * step, 4 * size * step);
  };
  return {
    slice(x, axis, start, size) {
      const y = heap.output(withSize(x.shape, axis, size), x.dtype);
      move(y, 0, x, start, size, axis);
      return y;
    },
    pad(x, axis, before, after) {
      const size = x.shape[axis]!;
      const y = heap.output(withSize(x.shape, axis, before + size + after), x.dtype);
      move(y, before, x, 0, size, axis);
      clear(y, 0, before, axis);
      clear(y, before + size, after, axis);
      return y;
    },
    concat(xs, axis) {
      const size = xs.reduce((sum, x) => sum + x.shape[axis]!, 0);
      const y = heap.output(withSize(xs[0]!.shape, axis, size), xs[0]!.dtype);
      let at = 0;
      for (const x of xs) {
        move(y, at, x, 0, x.shape[axis]!, axis);
        at += x.shape[axis]!;
      }
      return y;
    },
    shift(x, axis, by) {
      const size = x.shape[axis]!;
      const distance = Math.min(Math.abs(by), size);
      const y = heap.output(x.shape, x.dtype);
      if (distance < size) move(y, Math.max(by, 0), x, Math.max(-by, 0), size - distance, axis);
      clear(y, by > 0 ? 0 : size - distance, distance, axis);
      return y;
    },
  };
}
