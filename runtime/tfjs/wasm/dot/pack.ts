/**
 * Packing: a block of an operand becomes panels [k][width], whatever its strides, so that the
 * micro-kernel always reads straight ahead. Lanes (rows of A, columns of B) and k are addressed through
 * tables of byte offsets; where four neighbours in a table are neighbours in memory, four floats move
 * at once. Lanes missing in the last panel keep whatever was there: their results are never stored.
 */

import type { FunctionHandle, Local, ModuleBuilder } from "../assembler/assembler.js";
import { transposed } from "../transpose.js";
import { f32, i32, v128, type I32 } from "../assembler/instructions.js";

/** Which axis has aligned groups of four contiguous floats. */
export type Packing = "lanes" | "k" | "neither";

export const packings: readonly Packing[] = ["lanes", "k", "neither"];

/** (to, from, lanes, laneCount, ks, kCount) for one panel width and packing. */
export function emitPack(module: ModuleBuilder, width: number, packing: Packing): FunctionHandle {
  const gather = emitGather(module, width);
  const whole =
    packing === "lanes"
      ? emitLanes(module, width)
      : packing === "k"
        ? emitTransposed(module, width, gather)
        : null;
  return module.function(null, (f) => {
    const to = f.parameter("i32");
    const from = f.parameter("i32");
    const lanes = f.parameter("i32");
    const laneCount = f.parameter("i32");
    const ks = f.parameter("i32");
    const kCount = f.parameter("i32");
    const lane = f.local("i32");
    const wholeLanes = f.keep(i32.and(laneCount, i32.const(-width)));
    const panelBytes = f.keep(i32.mul(kCount, i32.const(4 * width)));
    f.while(lane, wholeLanes, width, () => {
      if (whole) f.call(whole, to, from, lanes, ks, kCount);
      else f.call(gather, to, from, lanes, i32.const(width), ks, kCount);
      f.bump(lanes, 4 * width);
      f.bump(to, panelBytes);
    });
    f.if(i32.ltS(lane, laneCount), () =>
      f.call(gather, to, from, lanes, i32.sub(laneCount, lane), ks, kCount),
    );
  });
}

/** (to, from, lanes, laneCount, ks, kCount): float by float. */
function emitGather(module: ModuleBuilder, width: number): FunctionHandle {
  return module.function(null, (f) => {
    const to = f.parameter("i32");
    const from = f.parameter("i32");
    const lanes = f.parameter("i32");
    const laneCount = f.parameter("i32");
    const ks = f.parameter("i32");
    const kCount = f.parameter("i32");
    const k = f.local("i32");
    const lane = f.local("i32");
    const row = f.local("i32");
    f.while(k, kCount, 1, () => {
      f.set(row, i32.add(from, entry(ks, k)));
      f.set(lane, i32.const(0));
      f.while(lane, laneCount, 1, () =>
        f.store(
          i32.add(to, i32.shl(lane, i32.const(2))),
          f32.load(i32.add(row, entry(lanes, lane))),
        ),
      );
      f.bump(to, 4 * width);
    });
  });
}

/** (to, from, lanes, ks, kCount), lanes contiguous in fours: vectors are copied. */
function emitLanes(module: ModuleBuilder, width: number): FunctionHandle {
  return module.function(null, (f) => {
    const to = f.parameter("i32");
    const from = f.parameter("i32");
    const lanes = f.parameter("i32");
    const ks = f.parameter("i32");
    const kCount = f.parameter("i32");
    const k = f.local("i32");
    const groups = Array.from({ length: width / 4 }, (_, g) =>
      f.keep(i32.add(from, i32.load(lanes, 16 * g))),
    );
    const offset = f.local("i32");
    f.while(k, kCount, 1, () => {
      f.set(offset, entry(ks, k));
      groups.forEach((group, g) => f.store(to, v128.load(i32.add(group, offset)), 16 * g));
      f.bump(to, 4 * width);
    });
  });
}

/** (to, from, lanes, ks, kCount), k contiguous in fours: 4 × 4 blocks are transposed in registers. */
function emitTransposed(
  module: ModuleBuilder,
  width: number,
  gather: FunctionHandle,
): FunctionHandle {
  return module.function(null, (f) => {
    const to = f.parameter("i32");
    const from = f.parameter("i32");
    const lanes = f.parameter("i32");
    const ks = f.parameter("i32");
    const kCount = f.parameter("i32");
    const k = f.local("i32");
    const wholeK = f.keep(i32.and(kCount, i32.const(-4)));
    const offset = f.local("i32");
    f.while(k, wholeK, 4, () => {
      f.set(offset, i32.add(from, entry(ks, k)));
      for (let group = 0; group < width; group += 4) {
        const block = [0, 1, 2, 3].map((lane) =>
          f.keep(v128.load(i32.add(offset, i32.load(lanes, 4 * (group + lane))))),
        );
        transposed(f, block).forEach((value, row) => f.store(to, value, 4 * (row * width + group)));
      }
      f.bump(to, 16 * width);
    });
    const done = i32.shl(wholeK, i32.const(2));
    f.call(gather, to, from, lanes, i32.const(width), i32.add(ks, done), i32.sub(kCount, wholeK));
  });
}

/** Entry `index` of a table of 32-bit numbers. */
function entry(table: Local<"i32">, index: Local<"i32">): I32 {
  return i32.load(i32.add(table, i32.shl(index, i32.const(2))));
}
