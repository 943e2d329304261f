/** Rotations written out: halves of an axis, cosines and sines. */

import { GraphBuilder } from "../../ir/builder.js";
import { closeCopy, copyNode, openCopy } from "../../ir/copy.js";
import type { Graph, Module, Node, NodeOf, ValueId } from "../../ir/graph.js";

export function withoutRotations(module: Module): Module {
  const functions = new Map([...module.functions].map(([name, graph]) => [name, writeOut(graph)]));
  return { main: module.main, functions };
}

const hasRotation = (graph: Graph): boolean =>
  graph.nodes.some(
    (node) => node.op === "rotate" || (node.op === "scan" && hasRotation(node.attributes.body)),
  );

function writeOut(graph: Graph): Graph {
  if (!hasRotation(graph)) return graph;
  const builder = new GraphBuilder(graph.name);
  const known = openCopy(builder, graph);
  for (const node of graph.nodes) {
    builder.origin = graph.values[node.outputs[0]!]!.origin;
    if (node.op === "rotate") {
      const [x, angle] = node.inputs.map((id) => known.get(id)!) as [ValueId, ValueId];
      known.set(node.outputs[0]!, rotated(builder, graph, node, x, angle));
    } else copyNode(builder, graph, withBody(node), known);
  }
  return closeCopy(builder, graph, known);
}

/** A loop whose step holds no rotation either. */
function withBody(node: Node): Node {
  if (node.op !== "scan") return node;
  return { ...node, attributes: { ...node.attributes, body: writeOut(node.attributes.body) } };
}

function rotated(
  builder: GraphBuilder,
  graph: Graph,
  node: NodeOf<"rotate">,
  x: ValueId,
  angle: ValueId,
): ValueId {
  const { over, pairs } = node.attributes;
  const half = builder.size(angle, pairs);
  const part = (from: number): ValueId =>
    builder.rename(builder.slice(x, over, from, half), { [over]: pairs });
  const [first, second] = [part(0), part(half)];
  const [cos, sin] = [builder.map("cos", angle), builder.map("sin", angle)];
  const left = builder.sub(builder.mul(first, cos), builder.mul(second, sin));
  const right = builder.add(builder.mul(first, sin), builder.mul(second, cos));
  const back = { [pairs]: over };
  const joined = builder.op("concat", { axis: over }, [
    builder.rename(left, back),
    builder.rename(right, back),
  ]);
  const { name } = graph.values[node.outputs[0]!]!;
  return name === null ? joined : builder.label(joined, name);
}
