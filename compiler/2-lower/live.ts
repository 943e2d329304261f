/**
 * What a token graph computes for nothing: an inner loss of which only the gradient is used.
 *
 * Such a value may read a state, and what reads a state is looked at when its form is chosen.
 */

import { type Graph, type ValueId, allResults } from "../ir/graph.js";
import type { OpName } from "../ir/ops.js";

/** What is there for more than its value: steps, and mixes, which say what their regions' parameters belong to. */
const kept: ReadonlySet<OpName> = new Set(["state", "write", "mix"]);

/** The graph without nodes that neither a result nor a state's step needs. */
export function withoutUnused(graph: Graph): Graph {
  const needed = new Set<ValueId>(allResults(graph).map(({ value }) => value));
  const nodes = [...graph.nodes].reverse().filter((node) => {
    if (!kept.has(node.op) && !node.outputs.some((id) => needed.has(id))) return false;
    node.inputs.forEach((id) => needed.add(id));
    return true;
  });
  return { ...graph, nodes: nodes.reverse() };
}
