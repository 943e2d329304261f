/** Tensors brought to the axes that an operation wants: permuted, with axes of size 1 put in, repeated. */

import type { Axis } from "../../ir/types.js";
import { type Text, atom, tightness, within } from "./text.js";

/**
 * The text of a tensor with exactly the axes `to`, in their order; those that it lacks have size 1. Leading
 * ones are left out when `leading` is false, since broadcasting puts them in.
 */
export function fit(x: Text, from: readonly Axis[], to: readonly string[], leading = false): Text {
  const own = from.map(({ name }) => name);
  const kept = to.filter((name) => own.includes(name));
  const order = kept.map((name) => own.indexOf(name));
  const moved = order.every((at, i) => at === i) ? x : permuted(x, order);
  let wanted = to.map((name) => own.includes(name));
  if (!leading)
    wanted = wanted.slice(wanted.indexOf(true) < 0 ? wanted.length : wanted.indexOf(true));
  if (wanted.every(Boolean)) return moved;
  if (kept.length === 0)
    return atom(`${within(moved, tightness.atom)}[${wanted.map(() => "None").join(", ")}]`);
  const last = wanted.lastIndexOf(true);
  const ends = wanted.slice(last + 1).map(() => "None");
  const starts = wanted.slice(0, last + 1);
  const index = starts.every(Boolean)
    ? ["...", ...ends]
    : [...starts.map((has) => (has ? ":" : "None")), ...ends];
  while (index.length > 1 && index[index.length - 1] === ":") index.pop();
  return atom(`${within(moved, tightness.atom)}[${index.join(", ")}]`);
}

function permuted(x: Text, order: readonly number[]): Text {
  const swapped = order.flatMap((at, i) => (at === i ? [] : [i]));
  const text = within(x, tightness.atom);
  if (swapped.length === 2) {
    const [a, b] = swapped.map((i) => i - order.length);
    return atom(`${text}.transpose(${a}, ${b})`);
  }
  return atom(`${text}.permute(${order.join(", ")})`);
}

/** Axes as dimensions: from the end, as the field writes them; without dimensions when all are meant. */
export function dimensions(axes: readonly Axis[], over: readonly string[]): string {
  if (axes.every(({ name }) => over.includes(name))) return "";
  const found = axes.flatMap(({ name }, i) => (over.includes(name) ? [dimension(axes, i)] : []));
  return found.length === 1 ? String(found[0]) : `(${found.join(", ")})`;
}

/** Batch and time are counted from the start, a token's own axes from the end. */
export function dimension(axes: readonly Axis[], at: number): number {
  const outer = axes[at]!.name === "batch" || (axes[0]?.name === "batch" && at === 1);
  return outer ? at : at - axes.length;
}

export const dimensionOf = (axes: readonly Axis[], name: string): number =>
  dimension(
    axes,
    axes.findIndex((axis) => axis.name === name),
  );
