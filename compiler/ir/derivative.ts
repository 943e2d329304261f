/**
 * ∂y/∂x of two values of one graph under construction: reverse mode along what leads from x to y.
 *
 * The work is done beside the graph, and only what the result needs is added to it: a cotangent that
 * nobody asked for would read states, and count as part of their steps.
 */

import { backpropagate } from "./backpropagate.js";
import { GraphBuilder } from "./builder.js";
import { copyNode } from "./copy.js";
import { full } from "./gradients/rule.js";
import type { Graph, Node, ValueId } from "./graph.js";

/** The nodes that lead from x to y, in order; none when y does not depend on x. */
export function pathNodes(
  nodes: readonly Node[],
  y: ValueId,
  x: ValueId,
): { readonly nodes: readonly Node[]; readonly found: boolean } {
  const dependent = new Set<ValueId>([x]);
  const after = nodes.filter((node) => {
    // what x was a token ago is given
    if (node.op === "lag" || !node.inputs.some((id) => dependent.has(id))) return false;
    node.outputs.forEach((id) => dependent.add(id));
    return true;
  });
  const needed = new Set<ValueId>([y]);
  const path = after.reverse().filter((node) => {
    if (!node.outputs.some((id) => needed.has(id))) return false;
    node.inputs.forEach((id) => needed.add(id));
    return true;
  });
  return { nodes: path.reverse(), found: dependent.has(y) };
}

/** The last of the nodes that lead from x to y through which nothing flows back. */
export interface Blocked {
  readonly blocked: Node | null;
}

/**
 * ∂y/∂x with all axes of x, y a scalar of one token; `path` is what leads from x to y. It may hold no op that
 * reaches beyond the token.
 */
export function derivative(
  builder: GraphBuilder,
  path: readonly Node[],
  y: ValueId,
  x: ValueId,
): ValueId | Blocked {
  const { scratch, known } = beside(builder, path);
  const first = scratch.nodes.length;
  const own = new Map<ValueId, ValueId>(); // from the scratch back to the graph
  known.forEach((copy, id) => own.set(copy, id));
  const forward = scratch.nodes.slice(0, first);
  const cotangents = new Map([[known.get(y)!, scratch.constant(1)]]);
  backpropagate(scratch, forward, cotangents);
  const found = cotangents.get(known.get(x)!);
  if (found === undefined) return { blocked: lastReached(path, known, cotangents) };
  const result = full(scratch, found, builder.type(x));
  return addTo(builder, scratch.finish(), first, own, result);
}

/** A builder with the nodes of a path in it; what comes from elsewhere is an input, or a constant. */
function beside(
  builder: GraphBuilder,
  path: readonly Node[],
): { readonly scratch: GraphBuilder; readonly known: Map<ValueId, ValueId> } {
  const scratch = new GraphBuilder("derivative");
  const known = new Map<ValueId, ValueId>();
  const made = new Set(path.flatMap(({ outputs }) => outputs));
  for (const node of path)
    for (const id of node.inputs) {
      if (known.has(id) || made.has(id)) continue;
      const constant = builder.constantOf(id);
      known.set(
        id,
        constant === undefined
          ? scratch.input(`v${id}`, builder.type(id))
          : scratch.constant(constant),
      );
    }
  const graph = builder.finish();
  for (const node of path) {
    // a state's new value is what was written to it
    if (node.op === "write") known.set(node.outputs[0]!, known.get(node.inputs[0]!)!);
    else copyNode(scratch, graph, node, known);
  }
  return { scratch, known };
}

/** Where the way back ends: of the nodes that the cotangent reached, the one nearest to x. */
function lastReached(
  path: readonly Node[],
  known: ReadonlyMap<ValueId, ValueId>,
  cotangents: ReadonlyMap<ValueId, ValueId>,
): Node | null {
  const reached = (node: Node): boolean =>
    node.outputs.some((id) => cotangents.has(known.get(id)!));
  return path.find(reached) ?? null;
}

/** Adds the nodes of the scratch from `first` on that a result needs to the graph; gives it there. */
function addTo(
  builder: GraphBuilder,
  scratch: Graph,
  first: number,
  own: Map<ValueId, ValueId>,
  result: ValueId,
): ValueId {
  const needed = new Set<ValueId>([result]);
  const kept = [...scratch.nodes].reverse().filter((node) => {
    if (!node.outputs.some((id) => needed.has(id) && !own.has(id))) return false;
    node.inputs.forEach((id) => needed.add(id));
    return true;
  });
  for (const node of kept.reverse()) copyNode(builder, scratch, node, own);
  return own.get(result)!;
}
