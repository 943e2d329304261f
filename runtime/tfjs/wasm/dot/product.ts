/**
 * One product of matrices in terms of addresses: tables of byte offsets for rows, columns and the
 * contracted index of each operand, and for A and B whether they are read in place or packed first.
 */

import type { Heap } from "../heap.js";
import { contiguousIn, countOf, offsetsOf, uniformStride, type Axis } from "../strides.js";
import { flag } from "./multiply.js";
import type { Packing } from "./pack.js";

export interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Addresses of the tables. */
  readonly aRows: number;
  readonly aK: number;
  readonly bColumns: number;
  readonly bK: number;
  readonly cRows: number;
  readonly cColumns: number;
  /** Flags of `multiply`. */
  readonly flags: number;
  /** null: read in place. */
  readonly packA: Packing | null;
  readonly packB: Packing | null;
  /** Bytes from one k to the next in a B read in place. */
  readonly bStride: number;
}

/** Operands of the axes below. */
export const A = 0;
export const B = 1;
export const C = 2;

/** With fewer columns (rows) than this, packing A (B) costs more than reading it with a stride. */
const columnsWorthPacking = 64;
const rowsWorthPacking = 48;

export interface ProductAxes {
  readonly rows: readonly Axis[];
  readonly columns: readonly Axis[];
  readonly ks: readonly Axis[];
}

/**
 * `scattered` names the axes that the caller will bring tables for, with each call, in any order: their
 * tables are 0 here, and nothing is taken for contiguous along them.
 */
export function planProduct(
  heap: Heap,
  { rows, columns, ks }: ProductAxes,
  scattered: "rows" | "ks" | null,
): Product {
  const straight = (axes: readonly Axis[], operand: number): boolean =>
    (axes === ks ? scattered !== "ks" : axes !== rows || scattered !== "rows") &&
    contiguousIn(axes, operand, 4);
  const packing = (lanes: readonly Axis[], operand: number): Packing =>
    straight(lanes, operand) ? "lanes" : straight(ks, operand) ? "k" : "neither";
  const kStride = (operand: number): number | null =>
    scattered === "ks" ? null : uniformStride(ks, operand);
  const table = (axes: readonly Axis[], operand: number): number =>
    offsetTable(heap, axes, operand);

  const inPlaceA = kStride(A) === 1 && countOf(columns) < columnsWorthPacking;
  const packA = inPlaceA ? null : packing(rows, A);
  const bStride = kStride(B);
  const wholeVectors = countOf(columns) % 4 === 0 && contiguousIn(columns, B, 8);
  const packB =
    bStride !== null && wholeVectors && countOf(rows) < rowsWorthPacking
      ? null
      : packing(columns, B);
  return {
    m: countOf(rows),
    n: countOf(columns),
    k: countOf(ks),
    aRows: scattered === "rows" ? 0 : table(rows, A),
    cRows: scattered === "rows" ? 0 : table(rows, C),
    aK: scattered === "ks" ? 0 : table(ks, A),
    bK: scattered === "ks" ? 0 : table(ks, B),
    bColumns: table(columns, B),
    cColumns: table(columns, C),
    flags:
      (packA === null ? flag.rowsInPlace : 0) |
      (packB === null ? flag.columnsInPlace : 0) |
      (contiguousIn(columns, C, 8) ? flag.storeStraight : 0),
    packA,
    packB,
    bStride: 4 * (bStride ?? 0),
  };
}

/** The address of the byte offsets of an operand along some axes. */
export function offsetTable(heap: Heap, axes: readonly Axis[], operand: number): number {
  const key = axes.map((axis) => `${axis.size}*${axis.strides[operand]}`).join();
  return heap.table(key, () => byteOffsets(axes, operand));
}

export function byteOffsets(axes: readonly Axis[], operand: number): Int32Array {
  return Int32Array.from(offsetsOf(axes, operand), (offset) => 4 * offset);
}
