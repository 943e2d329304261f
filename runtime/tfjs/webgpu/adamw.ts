/**
 * AdamW (Loshchilov & Hutter, 2019) in place: with g the gradient times `scale` and t the step,
 *
 *   m ← β₁ m + (1 − β₁) g        v ← β₂ v + (1 − β₂) g²
 *   p ← p − rate · ( m / (1 − β₁ᵗ) / (√(v / (1 − β₂ᵗ)) + ε) + decay · p )
 *
 * What changes from step to step is in `control`, so a recorded step can be run again: rate, 1 / (1 − β₁ᵗ),
 * 1 / (1 − β₂ᵗ), scale, and whether to step at all.
 */

import type { KernelSet } from "../kernel-set.js";
import type { Kernels } from "./kernel.js";
import type { Storage } from "./launch.js";
import type { Maps } from "./map/map.js";
import { type Program, elementwise, literal } from "./wgsl/shader.js";

type Options = Parameters<KernelSet["adamw"]>[0];

export type AdamWConstants = Pick<Options, "beta1" | "beta2" | "epsilon" | "decay">;

/** Floats in `control`. */
export const controlSize = 8;

export function controlValues(
  { beta1, beta2 }: Pick<Options, "beta1" | "beta2">,
  { rate, step, scale }: Pick<Options, "rate" | "step" | "scale">,
): Float32Array {
  const corrections = [1 / (1 - beta1 ** step), 1 / (1 - beta2 ** step)];
  return Float32Array.of(rate, ...corrections, scale, 1, 0, 0, 0);
}

export function createAdamw(kernels: Kernels, maps: Maps): KernelSet["adamw"] {
  const { gpu } = kernels;
  return (options, p, g, m, v) => {
    if (gpu.tape) throw new Error("a tape cannot hold a rate that changes: record stepInPlace");
    const control = gpu.allocate(4 * controlSize);
    gpu.memory.write(control.buffer!, controlValues(options, options));
    const [newP, newM, newV] = [p, m, v].map((x) => maps.copy(x)) as [typeof p, typeof p, typeof p];
    const storages = [newP, newM, newV, g].map((x) => gpu.storage(x));
    stepInPlace(kernels, options, p.size, storages, control);
    gpu.release(control);
    return [newP, newM, newV];
  };
}

/** Launches one step of a parameter of `count` elements; storages: p, m, v and the gradient. */
export function stepInPlace(
  kernels: Kernels,
  constants: AdamWConstants,
  count: number,
  storages: readonly Storage[],
  control: Storage,
): void {
  const { beta1, beta2, epsilon, decay } = constants;
  const key = `adamw ${[count, beta1, beta2, epsilon, decay].join()}`;
  const program = kernels.program(key, () => adamwProgram(constants, count));
  kernels.run(program, [...storages, control]);
}

function adamwProgram({ beta1, beta2, epsilon, decay }: AdamWConstants, count: number): Program {
  return elementwise({
    bindings: [
      ...["p", "m", "v"].map((name) => ({ name, element: "f32", access: "write" }) as const),
      { name: "g", element: "f32", access: "read" },
      { name: "control", element: "f32", access: "read" },
    ],
    count,
    body: `if (control[4] == 0f) { return; }
let gradient = g[i] * control[3];
let first = ${literal(beta1)} * m[i] + ${literal(1 - beta1)} * gradient;
let second = ${literal(beta2)} * v[i] + ${literal(1 - beta2)} * gradient * gradient;
m[i] = first;
v[i] = second;
let change = first * control[1] / (sqrt(second * control[2]) + ${literal(epsilon)});
p[i] -= control[0] * (change + ${literal(decay)} * p[i]);`,
  });
}
