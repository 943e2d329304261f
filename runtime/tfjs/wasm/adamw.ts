/**
 * `adamw` (Loshchilov & Hutter, 2019) in one pass: with g the gradient times `scale` and t the step,
 *
 *   m ← β₁ m + (1 − β₁) g        v ← β₂ v + (1 − β₂) g²
 *   p ← p − rate · ( m / (1 − β₁ᵗ) / (√(v / (1 − β₂ᵗ)) + ε) + decay · p )
 */

import type { KernelSet } from "../kernel-set.js";
import { ModuleBuilder, type Local } from "./assembler/assembler.js";
import { f32x4, i32, multiplyAdd, v128, type V128 } from "./assembler/instructions.js";
import type { Heap } from "./heap.js";
import { chunksFor } from "./threads/team.js";

export function createAdamw(heap: Heap): KernelSet["adamw"] {
  const module = new ModuleBuilder();
  emitAdamw(module);
  const kernel = heap.splittable(module.finish(heap.shared), "adamw");
  return ({ beta1, beta2, epsilon, decay, rate, step, scale }, p, g, m, v) => {
    const [newP, newM, newV] = [heap.output(p.shape), heap.output(p.shape), heap.output(p.shape)];
    // √(v / c₂) + ε over 1/c₁ folded into the step: m/c₁ / (√v/√c₂ + ε), c = 1 − βᵗ.
    const stepSize = rate / (1 - beta1 ** step);
    const rootScale = 1 / Math.sqrt(1 - beta2 ** step);
    const units = Math.ceil(p.size / unit);
    const values = [
      heap.address(newP),
      heap.address(newM),
      heap.address(newV),
      heap.address(p),
      heap.address(g),
      heap.address(m),
      heap.address(v),
      p.size,
      scale,
      beta1,
      1 - beta1,
      beta2,
      1 - beta2,
      stepSize,
      rootScale,
      epsilon,
      1 - rate * decay,
    ];
    heap.team.run(kernel, values, units, chunksFor(heap.team, units, p.size));
    return [newP, newM, newV];
  };
}

/** Elements that a thread takes at least; an element takes about a nanosecond. */
const unit = 4096;

/** Exports `adamw(newP, newM, newV, p, g, m, v, count, …, from, to, thread)`, from and to in units. */
function emitAdamw(module: ModuleBuilder): void {
  module.function("adamw", (f) => {
    const [newP, newM, newV, p, g, m, v] = [0, 1, 2, 3, 4, 5, 6].map(() => f.parameter("i32"));
    const count = f.parameter("i32");
    const scalars = Array.from({ length: 9 }, () => f.parameter("f32"));
    const [from, to] = [f.parameter("i32"), f.parameter("i32")];
    f.parameter("i32"); // the thread
    const [scale, beta1, rest1, beta2, rest2, stepSize, rootScale, epsilon, keep] = scalars.map(
      (x) => f.keep(f32x4.splat(x)),
    );
    const pointers = [newP!, newM!, newV!, p!, g!, m!, v!];
    const update = (
      load: (from: Local<"i32">) => V128,
      store: (to: Local<"i32">, value: V128) => void,
    ): void => {
      const gradient = f.keep(f32x4.mul(load(g!), scale!));
      const first = f.keep(multiplyAdd(load(m!), beta1!, f32x4.mul(gradient, rest1!)));
      const square = f32x4.mul(gradient, gradient);
      const second = f.keep(multiplyAdd(load(v!), beta2!, f32x4.mul(square, rest2!)));
      const root = multiplyAdd(f32x4.sqrt(second), rootScale!, epsilon!);
      const move = f32x4.div(f32x4.mul(first, stepSize!), root);
      store(newM!, first);
      store(newV!, second);
      store(newP!, f32x4.sub(f32x4.mul(load(p!), keep!), move));
    };
    const done = f.keep(i32.mul(from, i32.const(unit)));
    const end = f.keep(i32.min(count, i32.mul(to, i32.const(unit))));
    const whole = f.keep(i32.and(end, i32.const(-4)));
    for (const pointer of pointers) f.bump(pointer, i32.shl(done, i32.const(2)));
    f.while(done, whole, 4, () => {
      update(v128.load, (to, value) => f.store(to, value));
      for (const pointer of pointers) f.bump(pointer, 16);
    });
    f.while(done, end, 1, () => {
      update(v128.load32Zero, (to, value) => f.storeLane(to, value, 0));
      for (const pointer of pointers) f.bump(pointer, 4);
    });
  });
}
