/** How a block of a map's vector loop meets memory: loading, masking and storing its lanes. */

import type { FunctionBuilder } from "../assembler/assembler.js";
import { f32x4, i32x4, v128, type I32, type V128 } from "../assembler/instructions.js";

/** The part of the vector loop one block covers, `4 · vectors` elements unless `valid` says fewer. */
export interface Block {
  readonly vectors: number;
  /** Lanes that exist: below 4 only where the whole axis is shorter than a vector. */
  readonly valid: number;
  /** Leading lanes an earlier block has covered: a last block is moved back to be whole. */
  readonly repeated: number;
}

export const wholeBlock = (vectors: number): Block => ({ vectors, valid: 4, repeated: 0 });

/** The vectors of an operand with `stride` along the lanes; one splat vector if it does not vary. */
export function loadBlock(f: FunctionBuilder, pointer: I32, stride: number, block: Block): V128[] {
  if (stride === 0) return [f.keep(v128.load32Splat(pointer))];
  return range(block.vectors).map((u) => {
    if (stride === 1 && block.valid === 4) return f.keep(v128.load(pointer, 16 * u));
    const offset = (lane: number): number => 4 * stride * (4 * u + Math.min(lane, block.valid - 1));
    const first = v128.load32Zero(pointer, offset(0));
    return f.keep(
      [1, 2, 3].reduce<V128>(
        (vector, lane) => v128.load32Lane(pointer, vector, lane, offset(lane)),
        first,
      ),
    );
  });
}

/** Indices along an axis as floats. */
export function positionBlock(
  f: FunctionBuilder,
  index: I32,
  stride: number,
  block: Block,
): V128[] {
  const start = f.keep(f32x4.fromI32(i32x4.splat(index)));
  if (stride === 0) return [start];
  return range(block.vectors).map((u) =>
    f.keep(f32x4.add(start, f.constant(f32x4.lanes([0, 1, 2, 3].map((lane) => 4 * u + lane))))),
  );
}

/** The value with lanes that must not count replaced by `neutral`. */
export function maskBlock(f: FunctionBuilder, value: V128, neutral: V128, block: Block): V128 {
  if (block.valid === 4 && block.repeated === 0) return value;
  const counts = [0, 1, 2, 3].map((lane) =>
    lane >= block.repeated && lane < block.valid ? -1 : 0,
  );
  return v128.bitselect(value, neutral, f.constant(i32x4.lanes(counts)));
}

export function storeBlock(
  f: FunctionBuilder,
  pointer: I32,
  values: readonly V128[],
  block: Block,
): void {
  range(block.vectors).forEach((u) => {
    const value = values[u] ?? values[0]!;
    if (block.valid === 4) f.store(pointer, value, 16 * u);
    else range(block.valid).forEach((lane) => f.storeLane(pointer, value, lane, 4 * lane));
  });
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
