/**
 * Initial weights: an `Initializer` evaluated in float64 at every element, row-major over the parameter's
 * axes, and rounded to float32. Each element's draws come in the order in which the expression names them,
 * from the stream `init/<path>`, so a weight depends on the seed and its own path alone.
 */

import type { Initializer } from "../../../compiler/ir/initializer.js";
import { scalarFunctions } from "../../../compiler/ir/scalar-functions.js";
import { RandomStream } from "../../random/stream.js";
import type { ParameterSpec } from "./trainable.js";

type Parameter = Pick<ParameterSpec, "path" | "axes" | "initializer">;

export function initialValues(
  { path, axes, initializer }: Parameter,
  seed: number,
): Float32Array<ArrayBuffer> {
  const values = new Float32Array(axes.reduce((size, axis) => size * axis.size, 1));
  if (initializer.kind === "constant") return values.fill(initializer.value);
  const at = compile(initializer, axes, new RandomStream(seed, `init/${path}`));
  for (let i = 0; i < values.length; i++) values[i] = at(i);
  return values;
}

/** The initializer as a function of an element's place. */
function compile(
  initializer: Initializer,
  axes: Parameter["axes"],
  random: RandomStream,
): (place: number) => number {
  switch (initializer.kind) {
    case "constant":
      return () => initializer.value;
    case "normal":
      return () => random.normal();
    case "uniform":
      return () => random.uniform();
    case "iota": {
      const axis = axes.findIndex(({ name }) => name === initializer.axis);
      if (axis < 0) throw new Error(`there is no axis ${initializer.axis} to count along`);
      const inner = axes.slice(axis + 1).reduce((size, { size: one }) => size * one, 1);
      const { size } = axes[axis]!;
      return (place) => Math.floor(place / inner) % size;
    }
    case "map": {
      const { evaluate } = scalarFunctions[initializer.fn];
      const inputs = initializer.inputs.map((input) => compile(input, axes, random));
      return (place) => {
        const [a = 0, b = 0, c = 0] = inputs.map((input) => input(place));
        return evaluate(a, b, c);
      };
    }
  }
}
