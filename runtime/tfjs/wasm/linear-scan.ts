/**
 * `linearScan`: the state stays in registers while a kernel walks along the axis; sixteen columns at a time (a
 * cache line of each row), then four, then one. Sums modulo a number are carried in double precision: a running
 * angle is read by sines, and its errors would add up.
 */

import type { KernelSet } from "../kernel-set.js";
import { parseSpec, without } from "../letters.js";
import { ModuleBuilder, type FunctionBuilder, type Local } from "./assembler/assembler.js";
import {
  f32x4,
  f64x2,
  i32,
  multiplyAdd,
  v128,
  type I32,
  type V128,
} from "./assembler/instructions.js";
import type { Heap } from "./heap.js";
import type { Maps } from "./map/map.js";
import { ShapeCache } from "./shape-cache.js";
import { type Axis, axesOver, collapse, offsetsOf } from "./strides.js";

interface ScanPlan {
  readonly shape: readonly number[];
  readonly steps: number;
  readonly columns: number;
  /** Whether a is the same for all columns of a line. */
  readonly splat: boolean;
  /** Byte distances from step to step, and byte offsets of every line. */
  readonly along: number;
  readonly alongA: number;
  readonly lines: readonly number[];
  readonly linesA: readonly number[];
  readonly linesInitial: readonly number[];
  /** b and h₀ in the order of the result; null where they are. */
  readonly arrangeB: string | null;
  readonly arrangeInitial: string | null;
}

const kinds = ["plus-times", "max-plus", "modulus"] as const;
type Kind = (typeof kinds)[number];
const nameOf = (kind: Kind, splat: boolean): string => (splat ? `${kind} splat` : kind);

export function createLinearScan(heap: Heap, maps: Maps): KernelSet["linearScan"] {
  const module = new ModuleBuilder();
  for (const kind of kinds) for (const splat of [true, false]) emitScan(module, kind, splat);
  const kernels = heap.instantiate(module.finish(heap.shared));
  const plans = new ShapeCache<ScanPlan>();
  const noSizes = {};
  return (spec, axis, semiring, modulus, reverse, a, b, initial) => {
    const p = plans.get(spec, [a.shape, b.shape, initial.shape], (sizeOf) =>
      planScan(spec, axis, sizeOf),
    );
    const ownB = p.arrangeB === null ? b : maps.rearrange(p.arrangeB, null, b, noSizes);
    const ownInitial =
      p.arrangeInitial === null
        ? initial
        : maps.rearrange(p.arrangeInitial, null, initial, noSizes);
    const output = heap.output(p.shape);
    const kernel = kernels[nameOf(modulus === null ? semiring : "modulus", p.splat)]!;
    const last = reverse ? p.steps - 1 : 0;
    const [along, alongA] = reverse ? [-p.along, -p.alongA] : [p.along, p.alongA];
    const [toH, fromA, fromB, fromInitial] = [output, a, ownB, ownInitial].map((x) =>
      heap.address(x),
    ) as [number, number, number, number];
    for (let i = 0; i < p.lines.length; i++) {
      const at = p.lines[i]! + last * p.along;
      kernel(
        toH + at,
        fromA + p.linesA[i]! + last * p.alongA,
        fromB + at,
        fromInitial + p.linesInitial[i]!,
        p.steps,
        p.columns,
        along,
        alongA,
        modulus ?? 0,
      );
    }
    if (ownB !== b) ownB.dispose();
    if (ownInitial !== initial) ownInitial.dispose();
    return output;
  };
}

function planScan(spec: string, axis: string, sizeOf: (letter: string) => number): ScanPlan {
  const { operands, result } = parseSpec(spec);
  const [a, b, initial] = operands as [string, string, string];
  const rest = without(result, axis);
  const [along] = axesOver(axis, [result, a], sizeOf);
  const axes = collapse(axesOver(rest, [result, a, rest], sizeOf));
  // columns lie side by side in h, b and h₀, and in a they do, too, or are one
  const inner = axes.at(-1);
  const isLine =
    inner !== undefined &&
    inner.strides[0] === 1 &&
    inner.strides[2] === 1 &&
    inner.strides[1]! < 2;
  const outer: readonly Axis[] = isLine ? axes.slice(0, -1) : axes;
  const bytes = (operand: number): number[] => offsetsOf(outer, operand).map((at) => 4 * at);
  return {
    shape: [...result].map(sizeOf),
    steps: along!.size,
    columns: isLine ? inner.size : 1,
    splat: !isLine || inner.strides[1] === 0,
    along: 4 * along!.strides[0]!,
    alongA: 4 * along!.strides[1]!,
    lines: bytes(0),
    linesA: bytes(1),
    linesInitial: bytes(2),
    arrangeB: b === result ? null : `${b}->${result}`,
    arrangeInitial: initial === rest ? null : `${initial}->${rest}`,
  };
}

/** (h, a, b, h₀, steps, columns, along, alongA, modulus) */
function emitScan(module: ModuleBuilder, kind: Kind, splat: boolean): void {
  module.function(nameOf(kind, splat), (f) => {
    const [h, a, b, initial] = [0, 1, 2, 3].map(() => f.parameter("i32")) as [
      Local<"i32">,
      Local<"i32">,
      Local<"i32">,
      Local<"i32">,
    ];
    const steps = f.parameter("i32");
    const columns = f.parameter("i32");
    const along = f.parameter("i32");
    const alongA = f.parameter("i32");
    const modulus = f.parameter("f64");
    const done = f.local("i32");
    const [step, toH, fromA, fromB] = [0, 1, 2, 3].map(() => f.local("i32")) as [
      Local<"i32">,
      Local<"i32">,
      Local<"i32">,
      Local<"i32">,
    ];
    const wide = f.local("v128");
    f.set(wide, f64x2.splat(modulus));
    const strip = (width: number) => (): void => {
      const load = (from: I32, offset: number): V128 =>
        width === 1 ? v128.load32Zero(from, offset) : v128.load(from, offset);
      const lines = Array.from({ length: Math.max(1, width / 4) }, (_, i) => {
        const start = load(initial, 16 * i);
        return kind === "modulus" ? angleLine(f, start, wide) : plainLine(f, start, kind);
      });
      f.set(toH, h);
      f.set(fromA, a);
      f.set(fromB, b);
      f.set(step, i32.const(0));
      const shared = splat ? f.local("v128") : null;
      f.while(step, steps, 1, () => {
        if (shared) f.set(shared, v128.load32Splat(fromA));
        lines.forEach((line, i) => {
          const value = line(shared ?? load(fromA, 16 * i), load(fromB, 16 * i));
          if (width === 1) f.storeLane(toH, value, 0);
          else f.store(toH, value, 16 * i);
        });
        f.bump(toH, along);
        f.bump(fromA, alongA);
        f.bump(fromB, along);
      });
      for (const base of [h, b, initial]) f.bump(base, 4 * width);
      if (!splat) f.bump(a, 4 * width);
    };
    const whole = (width: number): I32 => f.keep(i32.and(columns, i32.const(-width)));
    f.while(done, whole(16), 16, strip(16));
    f.while(done, whole(4), 4, strip(4));
    f.while(done, columns, 1, strip(1));
  });
}

/** Takes a_t and b_t in; gives h_t. */
type Line = (a: V128, b: V128) => V128;

function plainLine(f: FunctionBuilder, start: V128, kind: Semiring): Line {
  const state = f.keep(start);
  return (a, b) => {
    const next =
      kind === "plus-times" ? multiplyAdd(a, state, b) : f32x4.max(f32x4.add(a, state), b);
    f.set(state, next);
    return state;
  };
}

type Semiring = "plus-times" | "max-plus";

/** The same modulo `modulus`, in double precision: two lanes and two. */
function angleLine(f: FunctionBuilder, start: V128, modulus: V128): Line {
  const upper = (x: V128): V128 => v128.shuffle32(x, x, [2, 3, 2, 3]);
  const whole = f.keep(start);
  const [low, high] = [f.keep(f64x2.fromF32(whole)), f.keep(f64x2.fromF32(upper(whole)))];
  const [factor, input] = [f.local("v128"), f.local("v128")];
  return (a, b) => {
    f.set(factor, a);
    f.set(input, b);
    const take = (state: Local<"v128">, half: (x: V128) => V128): void => {
      const product = f64x2.mul(f64x2.fromF32(half(factor)), state);
      f.set(state, f64x2.add(product, f64x2.fromF32(half(input))));
      const turns = f64x2.floor(f64x2.div(state, modulus));
      f.set(state, f64x2.sub(state, f64x2.mul(modulus, turns)));
    };
    take(low, (x) => x);
    take(high, upper);
    return v128.shuffle32(f32x4.fromF64(low), f32x4.fromF64(high), [0, 1, 4, 5]);
  };
}
