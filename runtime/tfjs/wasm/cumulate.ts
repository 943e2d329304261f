/**
 * `cumulate`: running sum or maximum on the view [before, axis, after]. Sums are carried in double precision:
 * decays are exponentials of differences of such sums.
 */

import type { KernelSet } from "../kernel-set.js";
import { ModuleBuilder, type FunctionBuilder } from "./assembler/assembler.js";
import {
  f32,
  f32x4,
  f64,
  f64x2,
  i32,
  v128,
  type F32,
  type F64,
  type I32,
  type V128,
} from "./assembler/instructions.js";
import type { Heap } from "./heap.js";
import type { Maps } from "./map/map.js";
import { viewAlong } from "./structure.js";

type Fn = "sum" | "max";

const nameOf = (fn: Fn, exclusive: boolean): string => (exclusive ? `${fn}_exclusive` : fn);

export function createCumulate(heap: Heap, maps: Maps): KernelSet["cumulate"] {
  const module = new ModuleBuilder();
  for (const fn of ["sum", "max"] as const)
    for (const exclusive of [false, true]) emitCumulate(module, fn, exclusive);
  const kernels = heap.instantiate(module.finish(heap.shared));
  const run: KernelSet["cumulate"] = (x, fn, axis, reverse, exclusive) => {
    const { before, size, step } = viewAlong(x.shape, axis);
    const output = heap.output(x.shape);
    const stride = 4 * step;
    const first = reverse ? (size - 1) * stride : 0;
    const direction = reverse ? -stride : stride;
    kernels[nameOf(fn, exclusive)]!(
      heap.address(output) + first,
      heap.address(x) + first,
      before,
      size,
      step,
      direction,
      size * stride,
    );
    return output;
  };
  return (x, ...rest) => {
    if (x.dtype !== "int32") return run(x, ...rest);
    const floats = maps.toFloat(x);
    const output = run(floats, ...rest);
    floats.dispose();
    return output;
  };
}

/** A carried value: how it takes a step, and what is written. */
interface Carry {
  /** Reads at an address, writes there in the result, and moves on. */
  readonly start: () => void;
  readonly step: (to: I32, from: I32) => void;
}

/** (to, from, before, size, columns, direction, rowBytes): four columns at a time, then one. */
function emitCumulate(module: ModuleBuilder, fn: Fn, exclusive: boolean): void {
  module.function(nameOf(fn, exclusive), (f) => {
    const to = f.parameter("i32");
    const from = f.parameter("i32");
    const before = f.parameter("i32");
    const size = f.parameter("i32");
    const columns = f.parameter("i32");
    const direction = f.parameter("i32");
    const rowBytes = f.parameter("i32");
    const row = f.local("i32");
    const column = f.local("i32");
    const index = f.local("i32");
    const target = f.local("i32");
    const source = f.local("i32");
    const wholeColumns = f.keep(i32.and(columns, i32.const(-4)));
    const along = (carry: Carry): void => {
      const offset = i32.shl(column, i32.const(2));
      f.set(target, i32.add(to, offset));
      f.set(source, i32.add(from, offset));
      f.set(index, i32.const(0));
      carry.start();
      f.while(index, size, 1, () => {
        carry.step(target, source);
        f.bump(target, direction);
        f.bump(source, direction);
      });
    };
    const four = fn === "sum" ? sumOfFour(f, exclusive) : maximumOfFour(f, exclusive);
    const one = fn === "sum" ? sumOfOne(f, exclusive) : maximumOfOne(f, exclusive);
    f.while(row, before, 1, () => {
      f.set(column, i32.const(0));
      f.while(column, wholeColumns, 4, () => along(four));
      f.while(column, columns, 1, () => along(one));
      f.bump(to, rowBytes);
      f.bump(from, rowBytes);
    });
  });
}

/** Writes before or after taking the element in. */
function step(exclusive: boolean, take: () => void, write: () => void): void {
  if (exclusive) write();
  take();
  if (!exclusive) write();
}

function sumOfFour(f: FunctionBuilder, exclusive: boolean): Carry {
  const [low, high, value] = [f.local("v128"), f.local("v128"), f.local("v128")];
  const zero = f32x4.const(0);
  const upper = (x: V128): V128 => v128.shuffle32(x, x, [2, 3, 2, 3]);
  return {
    start: () => {
      f.set(low, zero);
      f.set(high, zero);
    },
    step: (to, from) => {
      f.set(value, v128.load(from));
      const take = (): void => {
        f.set(low, f64x2.add(low, f64x2.fromF32(value)));
        f.set(high, f64x2.add(high, f64x2.fromF32(upper(value))));
      };
      const sums = v128.shuffle32(f32x4.fromF64(low), f32x4.fromF64(high), [0, 1, 4, 5]);
      step(exclusive, take, () => f.store(to, sums));
    },
  };
}

function sumOfOne(f: FunctionBuilder, exclusive: boolean): Carry {
  const sum = f.local("f64");
  const value = f.local("f32");
  const taken: F64 = f64.add(sum, f64.fromF32(value));
  return {
    start: () => f.set(sum, f64.const(0)),
    step: (to, from) => {
      f.set(value, f32.load(from));
      step(
        exclusive,
        () => f.set(sum, taken),
        () => f.store(to, f32.fromF64(sum)),
      );
    },
  };
}

function maximumOfFour(f: FunctionBuilder, exclusive: boolean): Carry {
  const [most, value] = [f.local("v128"), f.local("v128")];
  return {
    start: () => f.set(most, f32x4.const(-Infinity)),
    step: (to, from) => {
      f.set(value, v128.load(from));
      step(
        exclusive,
        () => f.set(most, f32x4.max(most, value)),
        () => f.store(to, most),
      );
    },
  };
}

function maximumOfOne(f: FunctionBuilder, exclusive: boolean): Carry {
  const [most, value] = [f.local("f32"), f.local("f32")];
  const taken: F32 = f32.max(most, value);
  return {
    start: () => f.set(most, f32.const(-Infinity)),
    step: (to, from) => {
      f.set(value, f32.load(from));
      step(
        exclusive,
        () => f.set(most, taken),
        () => f.store(to, most),
      );
    },
  };
}
