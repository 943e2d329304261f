/** The regions of a token graph: the bodies of its `mix` expressions. */

import type { Graph, NodeOf, ValueId } from "../ir/graph.js";

/**
 * The mix of every region. Inside, its expert axis is the choice itself, which no token's value has; a
 * value of the body that has an axis of that name has another axis, so the choice's is called differently.
 */
export function mixesOf(graph: Graph): ReadonlyMap<number, NodeOf<"mix">> {
  const names = new Map<number, Set<string>>();
  const see = (region: number | null, id: ValueId): void => {
    if (region === null) return;
    const known = names.get(region) ?? new Set<string>();
    names.set(region, known);
    for (const { name } of graph.values[id]!.type.axes) known.add(name);
  };
  for (const { region, value } of graph.parameters) see(region, value);
  for (const { region, inputs, outputs } of graph.nodes)
    for (const id of [...inputs, ...outputs]) see(region, id);
  const mixes = new Map<number, NodeOf<"mix">>();
  for (const node of graph.nodes) {
    if (node.op !== "mix") continue;
    const { region, experts } = node.attributes;
    const clash = names.get(region)?.has(experts.name) ?? false;
    const axis = clash ? { ...experts, name: `${experts.name} of the route` } : experts;
    mixes.set(region, { ...node, attributes: { region, experts: axis } });
  }
  return mixes;
}
