/**
 * Transposition of a plane, in blocks of 4 rows × 16 columns: whole cache lines are read, and written lines
 * are filled while they are still at hand.
 */

import { ModuleBuilder, type FunctionBuilder, type Local } from "./assembler/assembler.js";
import { i32, v128, type I32, type V128 } from "./assembler/instructions.js";
import type { Heap } from "./heap.js";

export type TransposePlane = (
  to: number,
  from: number,
  rows: number,
  columns: number,
  toStride: number,
  fromStride: number,
) => void;

/** `to[c·toStride + r] = from[r·fromStride + c]`, strides in bytes. */
export function createTranspose(heap: Heap): TransposePlane {
  const module = new ModuleBuilder();
  emitTranspose(module);
  return heap.instantiate(module.finish(heap.shared))["transpose"] as TransposePlane;
}

/** The four columns of a 4 × 4 block given by its rows. */
export function transposed(f: FunctionBuilder, rows: readonly V128[]): V128[] {
  const [a, b, c, d] = rows as [V128, V128, V128, V128];
  const pairs = (x: V128, y: V128): [V128, V128] => [
    f.keep(v128.shuffle32(x, y, [0, 4, 1, 5])),
    f.keep(v128.shuffle32(x, y, [2, 6, 3, 7])),
  ];
  const upper = pairs(a, b);
  const lower = pairs(c, d);
  return [0, 1, 2, 3].map((column) =>
    v128.shuffle32(
      upper[column >> 1]!,
      lower[column >> 1]!,
      column % 2 === 0 ? [0, 1, 4, 5] : [2, 3, 6, 7],
    ),
  );
}

function emitTranspose(module: ModuleBuilder): void {
  module.function("transpose", (f) => {
    const to = f.parameter("i32");
    const from = f.parameter("i32");
    const rows = f.parameter("i32");
    const columns = f.parameter("i32");
    const toStride = f.parameter("i32");
    const fromStride = f.parameter("i32");
    const column = f.local("i32");
    const row = f.local("i32");
    const source = f.local("i32");
    const target = f.local("i32");
    const wholeRows = f.keep(i32.and(rows, i32.const(-4)));
    const single = (): void => {
      f.store(target, i32.load(source));
      f.bump(source, fromStride);
      f.bump(target, 4);
    };
    for (const width of [16, 4, 1]) {
      const limit = width === 1 ? columns : f.keep(i32.and(columns, i32.const(-width)));
      f.while(column, limit, width, () => {
        f.set(row, i32.const(0));
        f.set(source, from);
        f.set(target, to);
        if (width > 1)
          f.while(row, wholeRows, 4, () => {
            fourRows(f, target, source, width, toStride, fromStride);
            f.bump(source, i32.shl(fromStride, i32.const(2)));
            f.bump(target, 16);
          });
        // Rows that are left go column by column.
        if (width === 1) f.while(row, rows, 1, single);
        else
          f.if(i32.ltS(row, rows), () => {
            const firstRow = f.keep(row);
            const firstSource = f.keep(source);
            const firstTarget = f.keep(target);
            for (let c = 0; c < width; c++) {
              f.set(row, firstRow);
              f.set(source, i32.add(firstSource, i32.const(4 * c)));
              f.set(target, i32.add(firstTarget, i32.mul(toStride, i32.const(c))));
              f.while(row, rows, 1, single);
            }
          });
        f.bump(from, 4 * width);
        f.bump(to, i32.mul(toStride, i32.const(width)));
      });
    }
  });
}

function fourRows(
  f: FunctionBuilder,
  target: I32,
  source: I32,
  width: number,
  toStride: I32,
  fromStride: Local<"i32">,
): void {
  const sources = [f.keep(source)];
  while (sources.length < 4) sources.push(f.keep(i32.add(sources.at(-1)!, fromStride)));
  const place = f.keep(target);
  for (let offset = 0; offset < 4 * width; offset += 16) {
    const block = sources.map((address) => f.keep(v128.load(address, offset)));
    for (const column of transposed(f, block)) {
      f.store(place, column);
      f.bump(place, toStride);
    }
  }
}
