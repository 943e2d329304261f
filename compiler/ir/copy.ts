/** Copies nodes of one graph into another under construction. */

import type { GraphBuilder } from "./builder.js";
import type { Graph, Node, ValueId } from "./graph.js";
import { concatWhole, expandWhole } from "./whole.js";

/** Copies every node of `graph`; `known` maps its inputs and parameters, and then all its values. */
export function copyInto(builder: GraphBuilder, graph: Graph, known: Map<ValueId, ValueId>): void {
  for (const node of graph.nodes) copyNode(builder, graph, node, known);
}

/** Copies one node whose inputs are in `known`. */
export function copyNode(
  builder: GraphBuilder,
  graph: Graph,
  node: Node,
  known: Map<ValueId, ValueId>,
): void {
  const inputs = node.inputs.map((id) => known.get(id)!);
  if (node.op === "constant") {
    known.set(node.outputs[0]!, builder.constant(node.attributes.value));
    return;
  }
  if (node.op === "map") {
    known.set(
      node.outputs[0]!,
      keepName(builder.map(node.attributes.fn, ...inputs), node.outputs[0]!),
    );
    return;
  }
  // a step that is run for several slots at once has one more axis around its values
  if (node.op === "expand" || node.op === "concat") {
    const copy =
      node.op === "expand"
        ? expandWhole(builder, node, inputs[0]!)
        : concatWhole(builder, node, inputs);
    known.set(node.outputs[0]!, keepName(copy, node.outputs[0]!));
    return;
  }
  // Rewrites may have changed the order of axes; what a function or a step is given keeps its own.
  const exact = (): ValueId[] =>
    inputs.map((id, i) => builder.conform(id, graph.values[node.inputs[i]!]!.type.axes));
  const types = node.outputs.map((id) => graph.values[id]!.type);
  const outputs =
    node.op === "call"
      ? builder.node("call", node.attributes, exact(), types)
      : builder.ops(node.op, node.attributes as never, node.op === "scan" ? exact() : inputs);
  node.outputs.forEach((id, i) => known.set(id, keepName(outputs[i]!, id)));

  function keepName(copy: ValueId, original: ValueId): ValueId {
    const { name } = graph.values[original]!;
    return name === null ? copy : builder.label(copy, name);
  }
}

/** Declares a graph's inputs and parameters in a builder and gives the map to start copying with. */
export function openCopy(builder: GraphBuilder, graph: Graph): Map<ValueId, ValueId> {
  const known = new Map<ValueId, ValueId>();
  for (const { name, value } of graph.inputs)
    known.set(value, builder.input(name, graph.values[value]!.type));
  for (const { path, value, initializer, trainable, decay } of graph.parameters)
    known.set(
      value,
      builder.parameter(path, graph.values[value]!.type, initializer, trainable, decay),
    );
  return known;
}

/** Declares what a copied graph gives, in the order of axes it had, and ends the copy. */
export function closeCopy(
  builder: GraphBuilder,
  graph: Graph,
  known: ReadonlyMap<ValueId, ValueId>,
): Graph {
  const port = <P extends { readonly value: ValueId }>(p: P): P => ({
    ...p,
    value: builder.conform(known.get(p.value)!, graph.values[p.value]!.type.axes),
  });
  builder.outputs.push(...graph.outputs.map(port));
  builder.penalties.push(...graph.penalties.map(port));
  builder.updates.push(...graph.updates.map(port));
  builder.metrics.push(...graph.metrics.map(port));
  return builder.finish();
}
