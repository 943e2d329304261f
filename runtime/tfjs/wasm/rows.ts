/**
 * Moving rows of memory: the module under slice, pad, concat, shift, take, put and scan. Counts are in
 * words of four bytes, distances in bytes.
 */

import { ModuleBuilder, type FunctionBuilder, type Local } from "./assembler/assembler.js";
import { f32, f32x4, i32, v128, type I32 } from "./assembler/instructions.js";
import type { Heap } from "./heap.js";

/** From this size on the engine's own copy is worth its call. */
const wordsWorthCall = 128;

export interface RowMover {
  /** `rows` rows of `words`, each `toStride` and `fromStride` bytes after the last. */
  copy(
    to: number,
    from: number,
    rows: number,
    words: number,
    toStride: number,
    fromStride: number,
  ): void;
  zero(to: number, rows: number, words: number, stride: number): void;
  /** Row i goes from `from + fromTable[i]` to `to + toTable[i]`; tables are addresses of byte offsets. */
  gather(
    to: number,
    toTable: number,
    from: number,
    fromTable: number,
    rows: number,
    words: number,
  ): void;
  /** The same, added to what is there. */
  scatterAdd(
    to: number,
    toTable: number,
    from: number,
    fromTable: number,
    rows: number,
    words: number,
  ): void;
}

export function createRowMover(heap: Heap): RowMover {
  const module = new ModuleBuilder();
  emitStrided(module);
  emitZero(module);
  emitTabled(module, "gather", copyRow);
  emitTabled(module, "scatterAdd", addRow);
  return heap.instantiate(module.finish(heap.shared)) as unknown as RowMover;
}

type RowCode = (f: FunctionBuilder, to: I32, from: I32, words: Local<"i32">) => void;

function emitStrided(module: ModuleBuilder): void {
  module.function("copy", (f) => {
    const to = f.parameter("i32");
    const from = f.parameter("i32");
    const rows = f.parameter("i32");
    const words = f.parameter("i32");
    const toStride = f.parameter("i32");
    const fromStride = f.parameter("i32");
    const row = f.local("i32");
    f.while(row, rows, 1, () => {
      copyRow(f, to, from, words);
      f.bump(to, toStride);
      f.bump(from, fromStride);
    });
  });
}

function emitZero(module: ModuleBuilder): void {
  module.function("zero", (f) => {
    const to = f.parameter("i32");
    const rows = f.parameter("i32");
    const words = f.parameter("i32");
    const stride = f.parameter("i32");
    const row = f.local("i32");
    f.while(row, rows, 1, () => {
      f.zeroBytes(to, i32.shl(words, i32.const(2)));
      f.bump(to, stride);
    });
  });
}

function emitTabled(module: ModuleBuilder, name: string, code: RowCode): void {
  module.function(name, (f) => {
    const to = f.parameter("i32");
    const toTable = f.parameter("i32");
    const from = f.parameter("i32");
    const fromTable = f.parameter("i32");
    const rows = f.parameter("i32");
    const words = f.parameter("i32");
    const row = f.local("i32");
    const target = f.local("i32");
    const source = f.local("i32");
    f.while(row, rows, 1, () => {
      f.set(target, i32.add(to, i32.load(toTable)));
      f.set(source, i32.add(from, i32.load(fromTable)));
      code(f, target, source, words);
      f.bump(toTable, 4);
      f.bump(fromTable, 4);
    });
  });
}

const copyRow: RowCode = (f, to, from, words) => {
  const bytes = i32.shl(words, i32.const(2));
  f.if(
    i32.ltS(i32.const(wordsWorthCall), words),
    () => f.copyBytes(to, from, bytes),
    () =>
      eachVectorThenWord(f, to, from, words, {
        vector: (target, source) => f.store(target, v128.load(source)),
        word: (target, source) => f.store(target, i32.load(source)),
      }),
  );
};

const addRow: RowCode = (f, to, from, words) =>
  eachVectorThenWord(f, to, from, words, {
    vector: (target, source) => f.store(target, f32x4.add(v128.load(target), v128.load(source))),
    word: (target, source) => f.store(target, f32.add(f32.load(target), f32.load(source))),
  });

interface Moves {
  readonly vector: (to: I32, from: I32) => void;
  readonly word: (to: I32, from: I32) => void;
}

function eachVectorThenWord(
  f: FunctionBuilder,
  to: I32,
  from: I32,
  words: I32,
  moves: Moves,
): void {
  const done = f.local("i32");
  const whole = f.keep(i32.and(words, i32.const(-4)));
  const at = (base: I32): I32 => i32.add(base, i32.shl(done, i32.const(2)));
  f.set(done, i32.const(0));
  f.while(done, whole, 4, () => moves.vector(at(to), at(from)));
  f.while(done, words, 1, () => moves.word(at(to), at(from)));
}
