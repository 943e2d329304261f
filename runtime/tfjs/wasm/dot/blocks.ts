/** Runs planned contractions: splits them into units that threads can share, and writes the plan's table. */

import type { Heap } from "../heap.js";
import { chunksFor, type SplitKernel } from "../threads/team.js";
import {
  blockColumns,
  blockK,
  blockRows,
  buildContractModule,
  packedAt,
  planWords,
  type ContractModule,
  type PlanWord,
} from "./contract.js";
import { tileColumns, tileRows } from "./micro-kernel.js";
import type { Product } from "./product.js";

/** Equal products side by side: addresses of tables of byte offsets into A, B and C. */
export interface Batch {
  readonly count: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

const planBytes = 128;
const flopsPerNanosecond = 30;

/** Smallest parts of C that are worth a unit: packing the other operand again costs a few percent. */
const leastRows = 64;
const leastColumns = 64;

export class Multiplier {
  readonly #heap: Heap;
  readonly #kernel: SplitKernel;
  readonly #slots: Pick<ContractModule, "slotA" | "slotB">;
  readonly #single: Batch;

  constructor(heap: Heap) {
    this.#heap = heap;
    const { bytes, ...slots } = buildContractModule(heap.shared);
    this.#kernel = heap.splittable(bytes, "contract");
    this.#slots = slots;
    const zero = heap.table("one item at 0", () => Int32Array.of(0));
    this.#single = { count: 1, a: zero, b: zero, c: zero };
  }

  /** Bytes of scratch that `run` needs. */
  scratchBytes(product: Product): number {
    return planBytes + this.#heap.team.size * threadBytes(product).each;
  }

  /** C = A · B; `scratch` has `scratchBytes` bytes. */
  run(p: Product, a: number, b: number, c: number, scratch: number, batch = this.#single): void {
    const { team } = this.#heap;
    const nanoseconds = (2 * p.m * p.n * p.k * batch.count) / flopsPerNanosecond;
    const wanted = chunksFor(team, Infinity, nanoseconds);
    const { rows, columns } = partsOf(p, Math.ceil(wanted / batch.count));
    const across = Math.ceil(p.n / columns);
    const each = across * Math.ceil(p.m / rows);
    const units = each * batch.count;
    const { packedB, each: scratchEach } = threadBytes(p);
    const { slotA, slotB } = this.#slots;
    const words: Readonly<Record<PlanWord, number>> = {
      ...p,
      packA: p.packA === null ? -1 : slotA[p.packA],
      packB: p.packB === null ? -1 : slotB[p.packB],
      batchA: batch.a,
      batchB: batch.b,
      batchC: batch.c,
      unitRows: rows,
      unitColumns: columns,
      unitsAcross: across,
      unitsEach: each,
      scratch: scratch + planBytes,
      scratchEach,
      packedB,
    };
    const memory = this.#heap.i32;
    planWords.forEach((name, i) => (memory[scratch / 4 + i] = words[name]));
    team.run(this.#kernel, [scratch, a, b, c], units, Math.min(units, wanted));
  }
}

/** The rows and columns of C in each of about so many units, as large on the other side as can be. */
function partsOf({ m, n }: Product, units: number): { rows: number; columns: number } {
  if (units <= 1) return { rows: m, columns: n };
  return m >= n
    ? { rows: Math.max(leastRows, roundUp(Math.ceil(m / units), tileRows)), columns: n }
    : { rows: m, columns: Math.max(leastColumns, roundUp(Math.ceil(n / units), tileColumns)) };
}

/** Bytes of one thread's scratch, and where in it packed B begins. */
function threadBytes({ m, n, k, packA, packB }: Product): { each: number; packedB: number } {
  const depth = Math.min(k, blockK);
  const rows = packA === null ? 0 : roundUp(Math.min(m, blockRows), tileRows);
  const columns = packB === null ? 0 : roundUp(Math.min(n, blockColumns), tileColumns);
  const packedB = packedAt + 4 * depth * rows;
  return { packedB, each: roundUp(packedB + 4 * depth * columns, 64) };
}

const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;
