/** The model's parameters in their order, those of a block once with the places where it stands. */

import type { Initializer } from "../../../ir/initializer.js";
import type { ModelParameter } from "../../../ir/program.js";
import { literal, object } from "./text.js";

/** A block's own list, under the name of its constant. */
export interface BlockParameters {
  readonly constant: string;
  readonly specs: readonly ModelParameter[]; // paths below the block
}

/** The entries of an array of specs. */
export function parameterEntries(
  specs: readonly ModelParameter[],
  blocks: ReadonlyMap<string, BlockParameters>,
): string[] {
  const entries: string[] = [];
  for (let i = 0; i < specs.length;) {
    const found = [...blocks].find(([prefix, { specs: own }]) => standsAt(specs, i, prefix, own));
    if (found) {
      const [prefix, { constant, specs: own }] = found;
      entries.push(`...parametersUnder(${literal(prefix)}, ${constant})`);
      i += own.length;
    } else {
      entries.push(parameterText(specs[i]!));
      i += 1;
    }
  }
  return entries;
}

function standsAt(
  specs: readonly ModelParameter[],
  at: number,
  prefix: string,
  own: readonly ModelParameter[],
): boolean {
  return (
    own.length > 0 &&
    own.every((spec, i) => {
      const there = specs[at + i];
      return there?.path === `${prefix}.${spec.path}` && sameSpec(there, spec);
    })
  );
}

function sameSpec(a: ModelParameter, b: ModelParameter): boolean {
  const text = ({ type, initializer, trainable, decay, matrix }: ModelParameter): string =>
    JSON.stringify([
      type.axes.map(({ name, size }) => [name, size]),
      initializer,
      trainable,
      decay,
      matrix,
    ]);
  return text(a) === text(b);
}

function parameterText(parameter: ModelParameter): string {
  const { path, type, initializer, trainable, decay, matrix } = parameter;
  const axes = type.axes.map(({ name, size }) => [name, String(size)] as const);
  const flags = [
    ...(trainable ? [] : [["trainable", "false"] as const]),
    ...(decay ? [["decay", "true"] as const] : []),
    ...(matrix ? [["matrix", literal(matrix)] as const] : []),
  ];
  const args = [literal(path), object(axes), start(initializer)];
  if (flags.length > 0) args.push(object(flags));
  return `parameter(${args.join(", ")})`;
}

function start(initializer: Initializer): string {
  const draws = affineDraws(initializer);
  if (draws?.kind === "normal" && draws.offset === 0) return `normal(${literal(draws.scale)})`;
  if (draws?.kind === "uniform") {
    const { scale, offset: low } = draws;
    const high = low + scale;
    if (high - low === scale) return `uniform(${literal(low)}, ${literal(high)})`;
  }
  if (initializer.kind === "constant") return literal(initializer.value);
  if (initializer.kind !== "map") return literal(initializer);
  return `apply(${[literal(initializer.fn), ...initializer.inputs.map(start)].join(", ")})`;
}

interface Draws {
  readonly kind: "normal" | "uniform";
  readonly scale: number;
  readonly offset: number;
}

/** scale · draw + offset, as `normal` and `uniform` of the language are. */
function affineDraws(sum: Initializer): Draws | null {
  if (sum.kind !== "map" || sum.fn !== "add") return null;
  const [product, offset] = sum.inputs;
  if (product?.kind !== "map" || product.fn !== "mul" || offset?.kind !== "constant") return null;
  const [draw, scale] = product.inputs;
  if (scale?.kind !== "constant" || (draw?.kind !== "normal" && draw?.kind !== "uniform"))
    return null;
  return { kind: draw.kind, scale: scale.value, offset: offset.value };
}
