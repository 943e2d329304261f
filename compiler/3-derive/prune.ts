/** Leaves out of a graph what none of its results needs. */

import { GraphBuilder } from "../ir/builder.js";
import { type Graph, type ValueId, allResults } from "../ir/graph.js";
import { closeCopy, copyNode, openCopy } from "../ir/copy.js";

export function prune(graph: Graph): Graph {
  const builder = new GraphBuilder(graph.name);
  const known = openCopy(builder, graph);
  const live = liveValues(graph);
  for (const node of graph.nodes)
    if (node.outputs.some((id) => live.has(id))) {
      builder.origin = graph.values[node.outputs[0]!]!.origin;
      copyNode(builder, graph, node, known);
    }
  return closeCopy(builder, graph, known);
}

/** Values that some result needs. */
export function liveValues(graph: Graph): ReadonlySet<ValueId> {
  const live = new Set<ValueId>(allResults(graph).map(({ value }) => value));
  for (const node of [...graph.nodes].reverse())
    if (node.outputs.some((id) => live.has(id))) node.inputs.forEach((id) => live.add(id));
  return live;
}
