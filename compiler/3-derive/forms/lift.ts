/** Nodes of a scan's body for all tokens at once, in the graph around it. */

import type { GraphBuilder } from "../../ir/builder.js";
import type { Graph, Node, ValueId } from "../../ir/graph.js";
import { concatWhole, expandWhole } from "../../ir/whole.js";

/** One node, its inputs given for all tokens. */
export function liftNode(b: GraphBuilder, node: Node, inputs: readonly ValueId[]): ValueId {
  switch (node.op) {
    case "constant":
      return b.constant(node.attributes.value);
    case "map":
      return b.map(node.attributes.fn, ...inputs);
    case "dot":
      return b.dot(inputs[0]!, inputs[1]!, node.attributes.over);
    case "expand":
      return expandWhole(b, node, inputs[0]!);
    case "concat":
      return concatWhole(b, node, inputs);
    default:
      return b.op(node.op, node.attributes as never, inputs);
  }
}

/** Values of a body that need no loop, since the states before and after each step are in `known`. */
export function liftValues(
  b: GraphBuilder,
  body: Graph,
  known: Map<ValueId, ValueId>,
  wanted: readonly ValueId[],
): readonly ValueId[] {
  const needed = new Set(wanted.filter((id) => !known.has(id)));
  const nodes = [...body.nodes].reverse().filter((node) => {
    if (!node.outputs.some((id) => needed.has(id))) return false;
    node.inputs.filter((id) => !known.has(id)).forEach((id) => needed.add(id));
    return true;
  });
  for (const node of nodes.reverse()) {
    const inputs = node.inputs.map((id) => known.get(id)!);
    known.set(node.outputs[0]!, liftNode(b, node, inputs));
  }
  return wanted.map((id) => known.get(id)!);
}
