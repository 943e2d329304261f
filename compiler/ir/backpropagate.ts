/** Reverse mode: cotangents of values from those of the values made of them. */

import type { GraphBuilder } from "./builder.js";
import type { Node, ValueId } from "./graph.js";
import { gradientRules } from "./gradients/index.js";
import type { Backpropagate, Cotangent } from "./gradients/rule.js";

type AnyRule = (
  builder: GraphBuilder,
  node: Node,
  cotangents: readonly Cotangent[],
  recurse: Backpropagate,
) => readonly Cotangent[];

/**
 * Walks `nodes` (already in the builder, in order) backwards, adding to `cotangents` in place. Calls are
 * handled by `onCall`, which only graphs of functions have.
 */
export function backpropagate(
  builder: GraphBuilder,
  nodes: readonly Node[],
  cotangents: Map<ValueId, ValueId>,
  onCall?: AnyRule,
): void {
  for (const node of [...nodes].reverse()) {
    const own = node.outputs.map((id) => cotangents.get(id) ?? null);
    if (own.every((d) => d === null)) continue;
    const rule = (node.op === "call" ? onCall! : gradientRules[node.op]) as AnyRule;
    const results = rule(builder, node, own, backpropagate);
    results.forEach((d, i) => {
      const input = node.inputs[i]!;
      if (d === null || builder.type(input).dtype === "int") return;
      const existing = cotangents.get(input);
      cotangents.set(input, existing === undefined ? d : builder.add(existing, d));
    });
  }
}
