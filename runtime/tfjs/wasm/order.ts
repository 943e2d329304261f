/** `topK` and `argsort`, on the host's side of the heap: rows are short and compared, not computed with. */

import type { Tensor } from "@tensorflow/tfjs";
import type { KernelSet } from "../kernel-set.js";
import type { Heap } from "./heap.js";
import { viewAlong } from "./structure.js";

type Numbers = Float32Array | Int32Array;

export function createOrder(heap: Heap): Pick<KernelSet, "topK" | "argsort"> {
  const numbersOf = (x: Tensor): { readonly values: Numbers; readonly start: number } => ({
    values: x.dtype === "int32" ? heap.i32 : heap.f32,
    start: heap.address(x) / 4,
  });
  return {
    topK(x, axis, k) {
      const { before, size, step } = viewAlong(x.shape, axis);
      const output = heap.output([...x.shape.filter((_, i) => i !== axis), k], "int32");
      const { values, start } = numbersOf(x);
      const positions = heap.i32;
      let to = heap.address(output) / 4;
      for (let row = 0; row < before; row++)
        for (let column = 0; column < step; column++, to += k)
          largest(values, start + row * size * step + column, size, step, k, positions, to);
      return output;
    },
    argsort(x, axis) {
      const { before, size, step } = viewAlong(x.shape, axis);
      const output = heap.output(x.shape, "int32");
      const { values, start } = numbersOf(x);
      const positions = heap.i32;
      const to = heap.address(output) / 4;
      const keys = x.dtype === "int32" ? new Int32Array(size) : new Float32Array(size);
      const sorter = new Sorter(size);
      for (let row = 0; row < before; row++)
        for (let column = 0; column < step; column++) {
          const offset = row * size * step + column;
          for (let i = 0; i < size; i++) keys[i] = values[start + offset + i * step]!;
          const order = sorter.sort(keys);
          for (let i = 0; i < size; i++) positions[to + offset + i * step] = order[i]!;
        }
      return output;
    },
  };
}

/** Positions of the k largest of a row, by insertion into the list of the best so far. */
function largest(
  values: Numbers,
  start: number,
  size: number,
  step: number,
  k: number,
  best: Int32Array,
  to: number,
): void {
  let count = 0;
  for (let i = 0; i < size; i++) {
    const value = values[start + i * step]!;
    let place = count;
    while (place > 0 && value > values[start + best[to + place - 1]! * step]!) place--;
    if (place === k) continue;
    for (let j = Math.min(count, k - 1); j > place; j--) best[to + j] = best[to + j - 1]!;
    best[to + place] = i;
    if (count < k) count++;
  }
}

/** A stable merge sort of positions, its two lists kept from row to row. */
class Sorter {
  #order: Int32Array;
  #merged: Int32Array;

  constructor(size: number) {
    this.#order = new Int32Array(size);
    this.#merged = new Int32Array(size);
  }

  sort(keys: Numbers): Int32Array {
    const size = keys.length;
    for (let i = 0; i < size; i++) this.#order[i] = i;
    for (let width = 1; width < size; width *= 2) {
      for (let start = 0; start < size; start += 2 * width) this.#merge(keys, start, width);
      [this.#order, this.#merged] = [this.#merged, this.#order];
    }
    return this.#order;
  }

  #merge(keys: Numbers, start: number, width: number): void {
    const order = this.#order;
    const merged = this.#merged;
    const middle = Math.min(start + width, keys.length);
    const end = Math.min(start + 2 * width, keys.length);
    let [left, right] = [start, middle];
    for (let to = start; to < end; to++) {
      const takesLeft =
        right === end || (left < middle && !(keys[order[right]!]! < keys[order[left]!]!));
      merged[to] = takesLeft ? order[left++]! : order[right++]!;
    }
  }
}
