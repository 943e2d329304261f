/**
 * Paths of parameters: `mixer.q.weight`.
 *
 * A statement `q = linear(x, …)` puts its parameters under `q`; with several layers in one statement
 * each has its own name below (`q.conv.weight`, `q.linear.weight`). A result expression has no name, so
 * its layers stand under their own.
 */

import type { GraphBuilder } from "../../ir/builder.js";
import type { RecipeValue } from "../values.js";
import type { Frame } from "./frame.js";

/** The path of a layer applied in this frame; distinct from those already used. */
export function layerPath(frame: Frame, recipe: RecipeValue): readonly string[] {
  const name = recipe.name ?? recipe.layer?.name.name ?? "layer";
  if (name === "") return frame.path; // the root of a block
  return [...frame.path, uniqueSegment(frame, name)];
}

/** Every path of a builder's parameters and all that they lie under, with the number of those; and how many are counted. */
const takenByBuilder = new WeakMap<
  GraphBuilder,
  { readonly paths: Map<string, number>; counted: number }
>();

function takenPaths(builder: GraphBuilder): ReadonlyMap<string, number> {
  const taken = takenByBuilder.get(builder) ?? { paths: new Map<string, number>(), counted: 0 };
  takenByBuilder.set(builder, taken);
  for (; taken.counted < builder.parameters.length; taken.counted += 1)
    count(taken.paths, builder.parameters[taken.counted]!.path, 1);
  return taken.paths;
}

function count(paths: Map<string, number>, path: string, by: number): void {
  for (let end = path.length; end > 0; end = path.lastIndexOf(".", end - 1)) {
    const above = path.slice(0, end);
    const number = (paths.get(above) ?? 0) + by;
    if (number > 0) paths.set(above, number);
    else paths.delete(above);
  }
}

/** Gives a parameter another path. */
function move(builder: GraphBuilder, at: number, path: string): void {
  takenPaths(builder);
  const { paths } = takenByBuilder.get(builder)!;
  const parameter = builder.parameters[at]!;
  count(paths, parameter.path, -1);
  count(paths, path, 1);
  builder.parameters[at] = { ...parameter, path };
}

function uniqueSegment(frame: Frame, name: string): string {
  const prefix = frame.path.length > 0 ? `${frame.path.join(".")}.` : "";
  const taken = takenPaths(frame.builder);
  const used = (segment: string): boolean => taken.has(prefix + segment);
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
  const made: number[] = [];
  for (let i = from; i < parameters.length; i += 1)
    if (parameters[i]!.path.startsWith(`${prefix}.`)) made.push(i);
  const below = made.map((i) => parameters[i]!.path.slice(prefix.length + 1).split("."));
  const first = below[0]?.[0];
  if (first === undefined || below.some((rest) => rest.length < 2 || rest[0] !== first)) return;
  made.forEach((at, i) => {
    move(frame.builder, at, [...statement, ...below[i]!.slice(1)].join("."));
  });
}
