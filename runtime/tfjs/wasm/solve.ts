/**
 * `solve`: X with (I − L) X = B by forward substitution, X[r] = B[r] + Σ_{c<r} L[r, c]·X[c], in place.
 *
 * (I − Lᵀ) X = B is the same with rows and columns of L exchanged and all order reversed: strides take care
 * of both, so one kernel serves. Columns of X are done sixteen at a time, then four, then one.
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { KernelSet } from "../kernel-set.js";
import { common, parseSpec, without } from "../letters.js";
import { ModuleBuilder, type FunctionBuilder, type Local } from "./assembler/assembler.js";
import { i32, multiplyAdd, v128, type I32, type V128 } from "./assembler/instructions.js";
import type { Heap } from "./heap.js";
import type { Maps } from "./map/map.js";
import { ShapeCache } from "./shape-cache.js";
import { axesOver, countOf, offsetsOf } from "./strides.js";

interface SolvePlan {
  /** B's letters to the order in which X is solved, and from there to the result's, if it differs. */
  readonly arrange: string;
  readonly restore: string | null;
  readonly sizes: Readonly<Record<string, number>>;
  readonly n: number;
  readonly columns: number;
  /** Byte offsets of every batch item. */
  readonly batchL: readonly number[];
  readonly batchX: readonly number[];
  readonly rowBytes: number;
  readonly columnBytes: number;
}

export function createSolve(heap: Heap, maps: Maps): KernelSet["solve"] {
  const module = new ModuleBuilder();
  emitSolve(module);
  const run = heap.instantiate(module.finish(heap.shared))["solve"]!;
  const plans = new ShapeCache<SolvePlan>();

  const plan = (
    spec: string,
    row: string,
    column: string,
    sizeOf: (letter: string) => number,
  ): SolvePlan => {
    const { operands, result } = parseSpec(spec);
    const [matrix, right] = operands as [string, string];
    const batch = common(result, without(matrix, row + column));
    const rest = without(result, batch + row);
    const order = batch + row + rest;
    const axes = axesOver(batch, [matrix, order], sizeOf);
    const [stepAlong] = axesOver(row, [matrix], sizeOf);
    const [stepAcross] = axesOver(column, [matrix], sizeOf);
    return {
      arrange: `${right}->${order}`,
      restore: order === result ? null : `${order}->${result}`,
      sizes: Object.fromEntries([...order].map((letter) => [letter, sizeOf(letter)])),
      n: sizeOf(row),
      columns: countOf(axesOver(rest, [order], sizeOf)),
      batchL: offsetsOf(axes, 0).map((offset) => 4 * offset),
      batchX: offsetsOf(axes, 1).map((offset) => 4 * offset),
      rowBytes: 4 * stepAlong!.strides[0]!,
      columnBytes: 4 * stepAcross!.strides[0]!,
    };
  };

  return (spec, row, column, transposed, l, b): Tensor => {
    const p = plans.get(spec, [l.shape, b.shape], (sizeOf) => plan(spec, row, column, sizeOf));
    const x = maps.rearrange(p.arrange, null, b, p.sizes);
    const last = p.n - 1;
    const stride = 4 * p.columns;
    const startL = heap.address(l) + (transposed ? last * (p.rowBytes + p.columnBytes) : 0);
    const startX = heap.address(x) + (transposed ? last * stride : 0);
    const [along, across, step] = transposed
      ? [-p.columnBytes, -p.rowBytes, -stride]
      : [p.rowBytes, p.columnBytes, stride];
    for (let i = 0; i < p.batchL.length; i++)
      run(startX + p.batchX[i]!, startL + p.batchL[i]!, p.n, p.columns, along, across, step);
    if (p.restore === null) return x;
    const restored = maps.rearrange(p.restore, null, x, p.sizes);
    x.dispose();
    return restored;
  };
}

/** (x, l, n, columns, rowBytes, columnBytes, xStride) */
function emitSolve(module: ModuleBuilder): void {
  module.function("solve", (f) => {
    const x = f.parameter("i32");
    const l = f.parameter("i32");
    const n = f.parameter("i32");
    const columns = f.parameter("i32");
    const rowBytes = f.parameter("i32");
    const columnBytes = f.parameter("i32");
    const stride = f.parameter("i32");
    const done = f.local("i32");
    const strip = (vectors: number, load: Load, store: Store) => (): void => {
      substitute(f, { x, l, n, rowBytes, columnBytes, stride }, vectors, load, store);
      f.bump(x, vectors > 0 ? 16 * vectors : 4);
    };
    const whole = (width: number): I32 => f.keep(i32.and(columns, i32.const(-width)));
    const vector: Store = (to, value, offset) => f.store(to, value, offset);
    f.while(done, whole(16), 16, strip(4, v128.load, vector));
    f.while(done, whole(4), 4, strip(1, v128.load, vector));
    f.while(
      done,
      columns,
      1,
      strip(0, v128.load32Zero, (to, value, offset) => f.storeLane(to, value, 0, offset)),
    );
  });
}

type Load = (from: I32, offset: number) => V128;
type Store = (to: I32, value: V128, offset: number) => void;
type Addresses = Readonly<
  Record<"x" | "l" | "n" | "rowBytes" | "columnBytes" | "stride", Local<"i32">>
>;

/** One strip of X, `vectors` wide; 0 stands for a single column. */
function substitute(
  f: FunctionBuilder,
  a: Addresses,
  vectors: number,
  load: Load,
  store: Store,
): void {
  const offsets = Array.from({ length: Math.max(1, vectors) }, (_, i) => 16 * i);
  const row = f.local("i32");
  const column = f.local("i32");
  const target = f.keep(a.x);
  const lRow = f.keep(a.l);
  const source = f.local("i32");
  const entry = f.local("i32");
  f.set(target, a.x);
  f.set(lRow, a.l);
  f.set(row, i32.const(0));
  f.while(row, a.n, 1, () => {
    const sums = offsets.map((offset) => f.keep(load(target, offset)));
    f.set(source, a.x);
    f.set(entry, lRow);
    f.set(column, i32.const(0));
    f.while(column, row, 1, () => {
      const factor = f.keep(v128.load32Splat(entry));
      sums.forEach((sum, i) => f.set(sum, multiplyAdd(factor, load(source, offsets[i]!), sum)));
      f.bump(entry, a.columnBytes);
      f.bump(source, a.stride);
    });
    sums.forEach((sum, i) => store(target, sum, offsets[i]!));
    f.bump(target, a.stride);
    f.bump(lRow, a.rowBytes);
  });
}
