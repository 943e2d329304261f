/**
 * Decides which elementwise values are computed inside the kernel that uses them.
 *
 * A map is fused into its user when it has only that one user, a map or a reduction, and its loop is as
 * large as the user's (else it would be computed again and again). Values made of constants and positions
 * alone are always fused: recomputing a mask is cheaper than reading it.
 */

import { type Graph, type Node, type ValueId, allResults } from "../ir/graph.js";
import { elementCount } from "../ir/types.js";

export interface Fusion {
  /** True for values that have no buffer: their users compute them. */
  readonly inlined: ReadonlySet<ValueId>;
  readonly producer: ReadonlyMap<ValueId, Node>;
}

/** Longest scalar code of one kernel. */
const longestCode = 64;

export function fuse(graph: Graph): Fusion {
  const producer = new Map<ValueId, Node>();
  const users = new Map<ValueId, (Node | null)[]>();
  const use = (id: ValueId, node: Node | null): void => {
    const list = users.get(id);
    if (list) list.push(node);
    else users.set(id, [node]);
  };
  for (const node of graph.nodes) {
    for (const id of node.outputs) producer.set(id, node);
    for (const id of node.inputs) use(id, node);
  }
  for (const { value } of allResults(graph)) use(value, null);

  const inlined = new Set<ValueId>();
  const synthetic = new Set<ValueId>(); // made of constants and positions alone
  const length = new Map<ValueId, number>(); // scalar instructions a value stands for
  const isFuser = (node: Node | null): boolean => node?.op === "map" || node?.op === "reduce";
  const loopSize = (node: Node): number =>
    elementCount(graph.values[node.op === "reduce" ? node.inputs[0]! : node.outputs[0]!]!.type);
  for (const node of graph.nodes) {
    const id = node.outputs[0]!;
    const own = users.get(id) ?? [];
    if (node.op === "constant" || node.op === "iota") {
      synthetic.add(id);
      if (own.every(isFuser)) inlined.add(id);
      continue;
    }
    if (node.op !== "map") continue;
    const cost =
      1 +
      node.inputs.reduce(
        (sum, input) => sum + (inlined.has(input) ? (length.get(input) ?? 0) : 0),
        0,
      );
    length.set(id, cost);
    if (node.attributes.fn !== "to_int" && node.inputs.every((input) => synthetic.has(input)))
      synthetic.add(id);
    if (
      cost > longestCode ||
      own.length === 0 ||
      node.attributes.fn === "to_int" ||
      !own.every(isFuser)
    )
      continue;
    const cheap = synthetic.has(id) && cost <= 4;
    const single = own.length === 1 || own.every((user) => user === own[0]);
    if (cheap || (single && loopSize(own[0]!) <= elementCount(graph.values[id]!.type)))
      inlined.add(id);
  }
  return { inlined, producer };
}
