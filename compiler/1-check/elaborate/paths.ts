/**
 * Paths of parameters: `mixer.q.weight`.
 *
 * A statement `q = linear(x, …)` puts its parameters under `q`; with several layers in one statement
 * each has its own name below (`q.conv.weight`, `q.linear.weight`). A result expression has no name, so
 * its layers stand under their own.
 */

import type { ParameterPort } from "../../ir/graph.js";
import type { RecipeValue } from "../values.js";
import type { Frame } from "./frame.js";

/** The path of a layer applied in this frame; distinct from those already used. */
export function layerPath(frame: Frame, recipe: RecipeValue): readonly string[] {
  const name = recipe.name ?? recipe.layer?.name.name ?? "layer";
  if (name === "") return frame.path; // the root of a block
  return [...frame.path, uniqueSegment(frame, name)];
}

function uniqueSegment(frame: Frame, name: string): string {
  const prefix = frame.path.length > 0 ? `${frame.path.join(".")}.` : "";
  const used = (segment: string): boolean =>
    frame.builder.parameters.some(
      ({ path }) => path === prefix + segment || path.startsWith(`${prefix}${segment}.`),
    );
  if (!used(name)) return name;
  let count = 2;
  while (used(`${name}_${count}`)) count += 1;
  return `${name}_${count}`;
}

/** The path of a raw parameter of this frame. */
export function parameterPath(frame: Frame, name: string): string {
  return [...frame.path, uniqueSegment(frame, name)].join(".");
}

/**
 * Once a named statement is finished: if all parameters it made lie under one layer's name below the
 * statement's, that layer's name says nothing and is left out.
 */
export function collapsePaths(frame: Frame, statement: readonly string[], from: number): void {
  const { parameters } = frame.builder;
  const prefix = statement.join(".");
  const made = parameters
    .map((_, i) => i)
    .filter((i) => i >= from && parameters[i]!.path.startsWith(`${prefix}.`));
  const below = made.map((i) => parameters[i]!.path.slice(prefix.length + 1).split("."));
  const first = below[0]?.[0];
  if (first === undefined || below.some((rest) => rest.length < 2 || rest[0] !== first)) return;
  made.forEach((at, i) => {
    const path = [...statement, ...below[i]!.slice(1)].join(".");
    parameters[at] = { ...parameters[at]!, path } satisfies ParameterPort;
  });
}
