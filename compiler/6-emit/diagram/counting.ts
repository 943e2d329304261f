/** Parameters and state of a part of a token graph, with the experts and picks of its routes. */

import type { Range } from "../../1-check/trace.js";
import type { Graph } from "../../ir/graph.js";
import { type Axis, byteCount, elementCount } from "../../ir/types.js";

export interface Experts {
  readonly axis: Axis;
  readonly picks: number;
}

/** The experts of every `mix` of a graph, by its region. */
export function expertsOf({ nodes, values }: Graph): ReadonlyMap<number, Experts> {
  return new Map(
    nodes.flatMap((node) => {
      if (node.op !== "mix") return [];
      const picks = elementCount(values[node.inputs[1]!]!.type);
      return [[node.attributes.region, { axis: node.attributes.experts, picks }] as const];
    }),
  );
}

/** Parameters in a range: all of them, and those that work on one token. */
export function parametersIn(
  graph: Graph,
  { from, to }: Range,
): { readonly total: number; readonly activated: number } {
  const experts = expertsOf(graph);
  let [total, activated] = [0, 0];
  for (const { value, region } of graph.parameters.slice(from, to)) {
    const size = elementCount(graph.values[value]!.type);
    const of = region === null ? undefined : experts.get(region);
    total += size * (of?.axis.size ?? 1);
    activated += size * (of?.picks ?? 1);
  }
  return { total, activated };
}

/** What the states of a range hold for one sequence. */
export function stateBytes(graph: Graph, { from, to }: Range): number {
  const experts = expertsOf(graph);
  return graph.states.slice(from, to).reduce((sum, { axes, region }) => {
    const each = byteCount({ dtype: "float", axes });
    const memories = region === null ? 1 : (experts.get(region)?.axis.size ?? 1);
    return sum + each * memories;
  }, 0);
}
