/** Softmax attention of one token over the carried keys and values. */

import type { GraphBuilder } from "../../ir/builder.js";
import type { NodeOf, ValueId } from "../../ir/graph.js";
import type { Carries } from "./carried.js";
import { nowAlong, withPast } from "./past.js";

/** Far below any score, and far from where float32 ends. */
const never = -1e30;

export function attendStep(
  builder: GraphBuilder,
  carries: Carries,
  node: NodeOf<"attend">,
  [q, k, v, positions]: readonly ValueId[],
  capacity: number,
): ValueId {
  const { axis, key, window, scale } = node.attributes;
  const length = Math.max(1, Math.min(window ?? capacity, capacity) - 1);
  const keys = withPast(builder, carries, "keys", k!, axis, length, positions!);
  const values = withPast(builder, carries, "values", v!, axis, length, positions!);
  const now = (x: ValueId): ValueId => (axis === "slots" ? x : builder.sum(x, [axis]));
  const age = builder.iota({ name: keys.past, size: length + 1 });
  let seen = builder.map("le", age, now(positions!));
  if (window !== null) seen = builder.mul(seen, builder.map("lt", age, builder.constant(window)));
  const scores = builder.mul(builder.dot(now(q!), keys.all, [key]), builder.constant(scale));
  const masked = builder.map("select", seen, scores, builder.constant(never));
  const weights = builder.exp(builder.sub(masked, builder.max(masked, [keys.past])));
  const read = builder.dot(weights, values.all, [keys.past]);
  return nowAlong(builder, builder.div(read, builder.sum(weights, [keys.past])), axis);
}
