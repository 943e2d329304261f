/**
 * Runs a planned contraction block by block. Block sizes keep a packed block of A (128 × 256 floats,
 * 128 KB) in the second cache and one panel of B (256 × 8, 8 KB) in the first.
 */

import type { Heap, KernelFunction } from "../heap.js";
import { tileColumns, tileRows } from "./micro-kernel.js";
import { buildDotModule, flag, tileBytes } from "./multiply.js";
import { packName, packings, type Packing } from "./pack.js";
import type { Product } from "./product.js";

const blockRows = 128;
const blockColumns = 1024;
const blockK = 256;

export class Multiplier {
  readonly #multiply: KernelFunction;
  readonly #packA: Readonly<Record<Packing, KernelFunction>>;
  readonly #packB: Readonly<Record<Packing, KernelFunction>>;

  constructor(heap: Heap) {
    const exported = heap.instantiate(buildDotModule(heap.shared));
    const packers = (width: number) =>
      Object.fromEntries(
        packings.map((packing) => [packing, exported[packName(width, packing)]!]),
      ) as Record<Packing, KernelFunction>;
    this.#multiply = exported["multiply"]!;
    this.#packA = packers(tileRows);
    this.#packB = packers(tileColumns);
  }

  /** Bytes of scratch that `run` needs. */
  scratchBytes({ m, n, k, packA, packB }: Product): number {
    const depth = Math.min(k, blockK);
    const rows = roundUp(Math.min(m, blockRows), tileRows);
    const columns = roundUp(Math.min(n, blockColumns), tileColumns);
    return (
      roundUp(tileBytes, 64) +
      4 * depth * ((packA === null ? 0 : rows) + (packB === null ? 0 : columns))
    );
  }

  /** C = A · B; `scratch` has `scratchBytes` bytes. */
  run(p: Product, a: number, b: number, c: number, scratch: number): void {
    const packedA = scratch + roundUp(tileBytes, 64);
    const packedB =
      packedA +
      (p.packA === null
        ? 0
        : 4 * roundUp(Math.min(p.m, blockRows), tileRows) * Math.min(p.k, blockK));
    for (let j = 0; j < p.n; j += blockColumns) {
      const n = Math.min(blockColumns, p.n - j);
      for (let l = 0; l < p.k; l += blockK) {
        const k = Math.min(blockK, p.k - l);
        const flags = l > 0 ? p.flags | flag.accumulate : p.flags;
        if (p.packB !== null)
          this.#packB[p.packB](packedB, b, p.bColumns + 4 * j, n, p.bK + 4 * l, k);
        const bAt = p.packB === null ? b + l * p.bStride : packedB;
        const bStride = p.packB === null ? p.bStride : 4 * tileColumns;
        for (let i = 0; i < p.m; i += blockRows) {
          const m = Math.min(blockRows, p.m - i);
          if (p.packA !== null)
            this.#packA[p.packA](packedA, a, p.aRows + 4 * i, m, p.aK + 4 * l, k);
          const aAt = p.packA === null ? a + 4 * l : packedA;
          this.#multiply(
            flags,
            aAt,
            p.aRows + 4 * i,
            bAt,
            p.bColumns + 4 * j,
            bStride,
            m,
            n,
            k,
            c,
            p.cRows + 4 * i,
            p.cColumns + 4 * j,
            scratch,
          );
        }
      }
    }
  }
}

const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;
