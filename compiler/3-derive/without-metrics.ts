/** A module without its measurements of itself, for who wants the prediction or the loss alone. */

import type { Graph, Module, Node } from "../ir/graph.js";
import { prune } from "./prune.js";

export function withoutMetrics(module: Module): Module {
  const trimmed = (node: Node): Node => {
    if (node.op !== "call") return node;
    const count = module.functions.get(node.attributes.callee)!.metrics.length; // a call's last results
    return { ...node, outputs: node.outputs.slice(0, node.outputs.length - count) };
  };
  const without = (graph: Graph): Graph =>
    graph.metrics.length === 0
      ? graph
      : prune({ ...graph, metrics: [], nodes: graph.nodes.map(trimmed) });
  return {
    main: module.main,
    functions: new Map([...module.functions].map(([name, graph]) => [name, without(graph)])),
  };
}
