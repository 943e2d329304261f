/**
 * What a contraction is, once its letters and sizes are known: the four groups of letters, where each
 * operand is read in place and where it is packed. Made once for each spec and shapes.
 */

import {
  axesOver,
  contiguousIn,
  countOf,
  offsetsOf,
  uniformStride,
  type Axis,
} from "../strides.js";
import type { Heap } from "../heap.js";
import { flag } from "./multiply.js";
import { common, without } from "../../letters.js";
import type { Packing } from "./pack.js";

export interface DotPlan {
  /** The operand whose free letters are the rows of the tile: the other one has the output's last letter. */
  readonly swapped: boolean;
  readonly outputShape: readonly number[];
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Byte offsets of every batch item in A, B and C. */
  readonly batchA: Int32Array;
  readonly batchB: Int32Array;
  readonly batchC: Int32Array;
  /** Addresses of tables of byte offsets. */
  readonly aRows: number;
  readonly aK: number;
  readonly bColumns: number;
  readonly bK: number;
  readonly cRows: number;
  readonly cColumns: number;
  /** Flags of `multiply`; null packings mean that the operand is read in place. */
  readonly flags: number;
  readonly packA: Packing | null;
  readonly packB: Packing | null;
  /** Bytes from one k to the next in B read in place. */
  readonly bStride: number;
}

export interface DotSpec {
  readonly a: string;
  readonly b: string;
  readonly output: string;
}

export interface Groups {
  readonly batch: string;
  readonly rows: string;
  readonly columns: string;
  readonly contracted: string;
}

/** Letters of a contraction by role, in the order in which C (for k: A) has them. */
export function groupsOf({ a, b, output }: DotSpec): Groups {
  return {
    batch: common(output, common(a, b)),
    rows: without(output, b),
    columns: without(output, a),
    contracted: without(a, output),
  };
}

const A = 0;
const B = 1;
const C = 2;

/** With fewer rows than this, packing B costs more than reading it with a stride. */
const rowsWorthPacking = 48;

export function planDot(heap: Heap, spec: DotSpec, sizeOf: (letter: string) => number): DotPlan {
  const last = [...spec.output].findLast((letter) => sizeOf(letter) > 1) ?? "";
  const swapped = !spec.b.includes(last);
  const { a, b, output } = swapped ? { a: spec.b, b: spec.a, output: spec.output } : spec;
  const groups = groupsOf({ a, b, output });
  const over = (letters: string): Axis[] => axesOver(letters, [a, b, output], sizeOf);
  const batch = over(groups.batch);
  const rows = over(groups.rows);
  const columns = over(groups.columns);
  const ks = over(groups.contracted);

  const m = countOf(rows);
  const packA = uniformStride(ks, A) === 1 ? null : packingOf(rows, ks, A);
  const bStride = uniformStride(ks, B);
  const wholeVectors = countOf(columns) % 4 === 0 && contiguousIn(columns, B, 8);
  const inPlaceB = bStride !== null && wholeVectors && m < rowsWorthPacking;
  const table = (axes: readonly Axis[], operand: number): number =>
    offsetTable(heap, axes, operand);
  const bytes = (operand: number): Int32Array =>
    Int32Array.from(offsetsOf(batch, operand), (offset) => 4 * offset);
  return {
    swapped,
    outputShape: [...output].map(sizeOf),
    m,
    n: countOf(columns),
    k: countOf(ks),
    batchA: bytes(A),
    batchB: bytes(B),
    batchC: bytes(C),
    aRows: table(rows, A),
    aK: table(ks, A),
    bColumns: table(columns, B),
    bK: table(ks, B),
    cRows: table(rows, C),
    cColumns: table(columns, C),
    flags:
      (packA === null ? flag.rowsInPlace : 0) |
      (inPlaceB ? flag.columnsInPlace : 0) |
      (contiguousIn(columns, C, 8) ? flag.storeStraight : 0),
    packA,
    packB: inPlaceB ? null : packingOf(columns, ks, B),
    bStride: 4 * (bStride ?? 0),
  };
}

export function packingOf(lanes: readonly Axis[], ks: readonly Axis[], operand: number): Packing {
  if (contiguousIn(lanes, operand, 4)) return "lanes";
  return contiguousIn(ks, operand, 4) ? "k" : "neither";
}

/** The address of the byte offsets of an operand along some axes. */
export function offsetTable(heap: Heap, axes: readonly Axis[], operand: number): number {
  const key = axes.map((axis) => `${axis.size}*${axis.strides[operand]}`).join();
  return heap.table(key, () => Int32Array.from(offsetsOf(axes, operand), (offset) => 4 * offset));
}
