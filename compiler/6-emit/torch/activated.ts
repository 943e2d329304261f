/** How many weights one token meets: of routed experts the picked ones, of an embedding none but a row. */

import type { Graph, Module } from "../../ir/graph.js";
import { elementCount } from "../../ir/types.js";

/** Weights that take part in products, for sequences of `time` tokens; what FLOPs are counted from. */
export function activatedWeights({ functions, main }: Module, time: number): number {
  const count = (graph: Graph): number =>
    graph.parameters.reduce((sum, { value }) => {
      const size = elementCount(graph.values[value]!.type);
      const users = graph.nodes.filter(({ inputs }) => inputs.includes(value));
      if (users.length > 0 && users.every(({ op }) => op === "take")) return sum;
      const routed = users.find(({ op }) => op === "grouped_dot");
      if (routed?.op !== "grouped_dot") return sum + size;
      const slots = graph.values[routed.inputs[2]!]!.type.axes.find(({ name }) => name === "slots");
      const experts = graph.values[value]!.type.axes.find(
        ({ name }) => name === routed.attributes.group,
      )!;
      return sum + (size * (slots!.size / time)) / experts.size;
    }, 0);
  const visit = (graph: Graph): number =>
    graph.nodes.reduce(
      (sum, node) =>
        node.op === "call" ? sum + visit(functions.get(node.attributes.callee)!) : sum,
      count(graph),
    );
  return Math.round(visit(functions.get(main)!));
}
