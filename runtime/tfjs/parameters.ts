/** A model's parameters as emitted TypeScript lists them: a path, the sizes of its axes, how it starts. */

import type { Initializer } from "../../compiler/ir/initializer.js";
import type { MatrixAxes } from "../../compiler/ir/muon.js";
import type { ScalarFunction } from "../../compiler/ir/scalar-functions.js";
import type { ParameterSpec } from "./train/trainable.js";

/** A number stands for itself everywhere. */
export type Start = Initializer | number;

/** Normal draws with mean 0. */
export function normal(deviation: number): Initializer {
  return apply("add", apply("mul", { kind: "normal" }, deviation), 0);
}

/** Draws from low to high. */
export function uniform(low: number, high: number): Initializer {
  return apply("add", apply("mul", { kind: "uniform" }, high - low), low);
}

/** `apply("log", uniform(1, 16))`: an elementwise function of other starts. */
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
    matrix = null,
  }: {
    readonly trainable?: boolean;
    readonly decay?: boolean;
    readonly matrix?: MatrixAxes | null;
  } = {},
): ParameterSpec {
  return {
    path,
    axes: Object.entries(axes).map(([name, size]) => ({ name, size })),
    initializer: initializerOf(start),
    trainable,
    decay,
    matrix,
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
