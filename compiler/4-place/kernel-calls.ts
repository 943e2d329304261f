/**
 * What the backward pass keeps, for a target whose recurrences and attention are kernels: each of these ops becomes a
 * call of a function of its own, which keeps its inputs and nothing else, whatever happens inside it.
 *
 * Such a function only says the shapes of its results. So programs made of these modules are for counting, not to run.
 */

import { withoutRotations } from "../3-derive/forms/rotation.js";
import { GraphBuilder } from "../ir/builder.js";
import { closeCopy, copyNode, openCopy } from "../ir/copy.js";
import type { Graph, Module, Node } from "../ir/graph.js";
import type { OpName } from "../ir/ops.js";

const kernels: readonly OpName[] = ["recurrence", "attend", "scan", "delay", "slot_positions"];

export function withKernelCalls({ functions, main }: Module): Module {
  const made = new Map<string, Graph>();
  const rewritten = [...functions].map(([name, graph]) => [name, rewrite(graph, made)] as const);
  return withoutRotations({ main, functions: new Map([...made, ...rewritten]) }); // callees first
}

function rewrite(graph: Graph, made: Map<string, Graph>): Graph {
  const builder = new GraphBuilder(graph.name);
  const known = openCopy(builder, graph);
  for (const node of graph.nodes) {
    if (!kernels.includes(node.op)) {
      copyNode(builder, graph, node, known);
      continue;
    }
    const callee = `${graph.name}: ${node.op} ${made.size}`;
    made.set(callee, shapesOf(callee, graph, node));
    const inputs = node.inputs.map((id) =>
      builder.conform(known.get(id)!, graph.values[id]!.type.axes),
    );
    const types = node.outputs.map((id) => graph.values[id]!.type);
    const outputs = builder.node("call", { callee, prefix: callee }, inputs, types);
    node.outputs.forEach((id, i) => known.set(id, outputs[i]!));
  }
  return closeCopy(builder, graph, known);
}

function shapesOf(name: string, { values }: Graph, { inputs, outputs }: Node): Graph {
  const builder = new GraphBuilder(name);
  inputs.forEach((id, i) => builder.input(`input ${i}`, values[id]!.type));
  outputs.forEach((id, i) => {
    const value = builder.zeros(values[id]!.type.axes);
    builder.outputs.push({ name: `output ${i}`, value });
  });
  return builder.finish();
}
