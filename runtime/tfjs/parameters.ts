/** A model's parameters as emitted TypeScript lists them: a path, the sizes of its axes, how it starts. */

import type { Initializer } from "../../compiler/ir/initializer.js";
import type { ScalarFunction } from "../../compiler/ir/scalar-functions.js";
import type { ParameterSpec } from "./train/trainable.js";

/** A number stands for itself everywhere. */
export type Start = Initializer | number;

/** Draws with mean 0 and deviation 1. */
export const normal: Initializer = { kind: "normal" };

/** Draws from 0 to 1. */
export const uniform: Initializer = { kind: "uniform" };

/** 0, 1, 2, … along an axis. */
export function iota(axis: string): Initializer {
  return { kind: "iota", axis };
}

/** `apply("mul", 0.02, normal)`: draws with deviation 0.02. */
export function apply(fn: ScalarFunction, ...inputs: readonly Start[]): Initializer {
  return { kind: "map", fn, inputs: inputs.map(initializerOf) };
}

export function parameter(
  path: string,
  axes: Readonly<Record<string, number>>,
  start: Start,
  {
    trainable = true,
    decay = false,
  }: { readonly trainable?: boolean; readonly decay?: boolean } = {},
): ParameterSpec {
  return {
    path,
    axes: Object.entries(axes).map(([name, size]) => ({ name, size })),
    initializer: initializerOf(start),
    trainable,
    decay,
  };
}

/** A block's parameters where the block stands in the model. */
export function parametersUnder(
  prefix: string,
  parameters: readonly ParameterSpec[],
): readonly ParameterSpec[] {
  return parameters.map((spec) => ({ ...spec, path: `${prefix}.${spec.path}` }));
}

const initializerOf = (start: Start): Initializer =>
  typeof start === "number" ? { kind: "constant", value: start } : start;
