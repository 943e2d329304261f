/** A training step: the gradients' program with clipping and the optimiser at its end. */

import type { Buffer, ModelParameter, Optimize, Program, Step } from "../ir/program.js";
import { gradientName } from "../3-derive/differentiate.js";
import { scalar } from "../ir/types.js";
import { withFrees } from "./schedule.js";

export type OptimizerOptions = Omit<Optimize, "norm" | "gradients">;

/** AdamW's defaults, for who looks at a model without a `train` block. */
export const adamwDefaults: OptimizerOptions = {
  clip: 1,
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  decay: 0.1,
  muon: null,
};

/** `main` keeps its losses, gives `grad_norm` as well, and keeps no gradient past the optimiser. */
export function withOptimizer(
  program: Program,
  parameters: readonly ModelParameter[],
  options: OptimizerOptions,
): Program {
  const main = program.functions.get(program.main)!;
  const trained = new Map(
    parameters.map(({ path, decay, matrix }) => [
      gradientName(path),
      { path, decay, matrix: options.muon && matrix },
    ]),
  );
  const gradients = main.outputs.flatMap(({ name, buffer }) => {
    const parameter = trained.get(name);
    return parameter ? [{ ...parameter, buffer }] : [];
  });
  const norm = main.buffers.length;
  const buffers: Buffer[] = [...main.buffers, { type: scalar, name: "grad_norm" }];
  const outputs = [
    ...main.outputs.filter(({ name }) => !trained.has(name)),
    { name: "grad_norm", buffer: norm },
  ];
  const kept = new Set([
    ...[...main.inputs, ...main.parameters, ...outputs, ...main.updates, ...main.metrics].map(
      ({ buffer }) => buffer,
    ),
  ]);
  const optimize: Optimize = { norm, gradients, ...options };
  const steps: Step[] = [
    ...main.steps.filter(({ kind }) => kind !== "free"),
    { kind: "alloc", buffer: norm },
    { kind: "optimize", optimize },
  ];
  const step = { ...main, buffers, outputs, steps: withFrees(steps, kept) };
  return { main: program.main, functions: new Map([...program.functions, [program.main, step]]) };
}
