/** The last few values of something, carried from token to token, latest first. */

import type { GraphBuilder } from "../../ir/builder.js";
import type { ValueId } from "../../ir/graph.js";
import { hasAxis, withoutAxes } from "../../ir/types.js";
import type { Carries } from "./carried.js";

/** Joins the token's value and the carried past, latest first, along a new axis. */
export function withPast(
  builder: GraphBuilder,
  carries: Carries,
  stem: string,
  x: ValueId,
  axis: string,
  length: number,
  positions: ValueId,
): { readonly all: ValueId; readonly past: string } {
  const past = "past";
  const own = withoutAxes(builder.type(x).axes, ["batch", axis]);
  const carry = carries.open(stem, [{ name: past, size: length }, ...own], 0, positions);
  const slots = axis === "slots" ? builder.type(x).axes.filter(({ name }) => name === axis) : [];
  const front = [{ name: "batch", size: 1 }, ...slots];
  const now = builder.conform(axis === "slots" ? x : builder.sum(x, [axis]), [
    ...front,
    { name: past, size: 1 },
    ...own,
  ]);
  const before = builder.conform(carry.value, [...front, { name: past, size: length }, ...own]);
  const all = builder.op("concat", { axis: past }, [now, before]);
  carry.store(builder.slice(all, past, 0, length));
  return { all, past };
}

/** A token's value with the axis of tokens back, of size 1. */
export function nowAlong(builder: GraphBuilder, x: ValueId, axis: string): ValueId {
  if (hasAxis(builder.type(x), axis)) return x;
  const [first, ...rest] = builder.type(x).axes;
  return builder.conform(x, [first!, { name: axis, size: 1 }, ...rest]);
}
