/** `scan`: positions are cut from the sequences and put into the stacks by copies of rows. */

import type { Tensor } from "@tensorflow/tfjs";
import type { KernelSet } from "../kernel-set.js";
import { type Stack, createScanLoop } from "../scan-loop.js";
import type { Heap } from "./heap.js";
import type { Maps } from "./map/map.js";
import type { RowMover } from "./rows.js";
import { viewAlong } from "./structure.js";

/** A tensor with the scanned axis, as rows of one position each. */
class RowStack implements Stack {
  readonly tensor: Tensor;
  readonly #heap: Heap;
  readonly #rows: RowMover;
  readonly #before: number;
  readonly #words: number;
  readonly #stride: number;
  readonly #shape: readonly number[];

  constructor(heap: Heap, rows: RowMover, tensor: Tensor, axis: number) {
    const { before, size, step } = viewAlong(tensor.shape, axis);
    this.tensor = tensor;
    this.#heap = heap;
    this.#rows = rows;
    this.#before = before;
    this.#words = step;
    this.#stride = 4 * step * size;
    this.#shape = tensor.shape.filter((_, i) => i !== axis);
  }

  read(t: number): Tensor {
    const slice = this.#heap.output(this.#shape, this.tensor.dtype);
    const from = this.#heap.address(this.tensor) + 4 * t * this.#words;
    this.#rows.copy(
      this.#heap.address(slice),
      from,
      this.#before,
      this.#words,
      4 * this.#words,
      this.#stride,
    );
    return slice;
  }

  write(t: number, slice: Tensor): void {
    const to = this.#heap.address(this.tensor) + 4 * t * this.#words;
    this.#rows.copy(
      to,
      this.#heap.address(slice),
      this.#before,
      this.#words,
      this.#stride,
      4 * this.#words,
    );
  }
}

export function createScan(heap: Heap, maps: Maps, rows: RowMover): KernelSet["scan"] {
  return createScanLoop({
    stackOf: (x, axis) => new RowStack(heap, rows, x, axis),
    make: (shape, dtype) => heap.output(shape, dtype),
    copy(x) {
      const copy = heap.output(x.shape, x.dtype);
      rows.copy(heap.address(copy), heap.address(x), 1, x.size, 0, 0);
      return copy;
    },
    map: (kernel, inputs, sizes) => maps.run(kernel, inputs, sizes),
  });
}
