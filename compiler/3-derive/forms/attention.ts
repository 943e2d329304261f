/** Softmax attention written out: scores, mask, softmax, mean of values; [.., time, source] is materialised. */

import type { GraphBuilder } from "../../ir/builder.js";
import type { NodeOf, ValueId } from "../../ir/graph.js";
import { findAxis } from "../../ir/types.js";

/** Far below any score, and far from where float32 ends. */
const never = -1e30;

export function attentionForm(
  builder: GraphBuilder,
  { attributes }: NodeOf<"attend">,
  [q, k, v, positions]: readonly ValueId[],
): ValueId {
  const { axis, key, window, causal, scale } = attributes;
  const length = findAxis(builder.type(q!), axis)!.size;
  const source = (x: ValueId): ValueId => builder.rename(x, { [axis]: "source" });
  const ago = builder.sub(
    builder.iota({ name: axis, size: length }),
    builder.iota({ name: "source", size: length }),
  );
  const conditions = [builder.map("le", ago, positions!)];
  if (causal) conditions.push(builder.map("ge", ago, builder.constant(0)));
  else conditions.push(builder.map("le", builder.neg(ago), source(positions!)));
  if (window !== null)
    conditions.push(builder.map("lt", builder.map("abs", ago), builder.constant(window)));
  const seen = conditions.reduce(builder.mul);
  const scores = builder.mul(builder.dot(q!, source(k!), [key]), builder.constant(scale));
  const masked = builder.map("select", seen, scores, builder.constant(never));
  const top = builder.map("stop", builder.max(masked, ["source"]));
  const weights = builder.exp(builder.sub(masked, top));
  const total = builder.sum(weights, ["source"]);
  return builder.div(builder.dot(weights, source(v!), ["source"]), total);
}
