/**
 * Recurrences as one op each, for targets that have kernels for them: what a scan computes out of its
 * step becomes the operands q, k, v, log Λ, a and b of a `recurrence`, computed for all tokens around it.
 *
 * A step that has no normal form, or whose gate has every axis of the state, stays a `scan`.
 */

import { GraphBuilder } from "../../ir/builder.js";
import type { Graph, Module, NodeOf, ValueId } from "../../ir/graph.js";
import { InternalFault, findAxis } from "../../ir/types.js";
import { closeCopy, copyNode, openCopy } from "../../ir/copy.js";
import { prune } from "../prune.js";
import { planChunk } from "./chunk.js";
import { logarithm } from "./factors.js";
import { covering } from "./layout.js";
import { Analysis } from "./normal-form.js";
import { withoutRotations } from "./rotation.js";

export const withOperands = (module: Module): Module => withoutRotations(operandForms(module));

/** The same with rotations as they are, for who still has to look into steps that stay. */
export function operandForms(module: Module): Module {
  const functions = new Map(
    [...module.functions].map(([name, graph]) => [name, prune(rewrite(graph))]),
  );
  return { main: module.main, functions };
}

function rewrite(graph: Graph): Graph {
  const builder = new GraphBuilder(graph.name);
  const known = openCopy(builder, graph);
  const used = new Set(graph.nodes.flatMap((node) => node.inputs));
  for (const node of graph.nodes) {
    builder.origin = graph.values[node.outputs[0]!]!.origin;
    if (node.op === "scan" && rewriteScan(builder, graph, node, known, used)) continue;
    copyNode(builder, graph, node, known);
  }
  return closeCopy(builder, graph, known);
}

/** True when the scan was replaced. */
function rewriteScan(
  builder: GraphBuilder,
  graph: Graph,
  node: NodeOf<"scan">,
  known: Map<ValueId, ValueId>,
  used: ReadonlySet<ValueId>,
): boolean {
  const { axis, body, states, resets, label } = node.attributes;
  const inputs = node.inputs.map((id) => known.get(id)!);
  const state = inputs[0]!;
  const outputs = body.outputs.length - states;
  const keepsBefores = node.outputs.slice(outputs + states).some((id) => used.has(id));
  if (!resets || keepsBefores) return false;
  const form = new Analysis(builder, node, builder.type(state)).run(inputs);
  if (
    form.kind === "not affine" ||
    form.obstacle !== null ||
    form.turn !== null ||
    form.key.length === 0
  )
    return false;
  const positions = positionsOf(builder, inputs[1]!);
  const length = findAxis(builder.type(positions), axis)!.size;
  const plan = planChunk(builder, form, state, length, null);
  if (plan === null) return false;
  const { key } = form;
  const type = builder.type(state);
  const whole = (x: ValueId): ValueId => covering(builder, x, key, type);
  const operands = [
    ...(form.gate === null ? [] : [logarithm(builder, form.gate)]),
    ...plan.writes.flatMap(({ key: k, value }) => [k, value]),
    ...form.erases.flatMap(({ a, b }) => [a, whole(b)]),
  ];
  form.reads.forEach(({ query, scale, plus, when }, i) => {
    const attributes = {
      axis,
      key,
      gated: form.gate !== null,
      writes: plan.writes.length,
      erases: form.erases.length,
      read: when === "new" ? "after" : "before",
      label,
    } as const;
    const [read, final] = builder.ops("recurrence", attributes, [
      state,
      positions,
      whole(query),
      ...operands,
    ]);
    const scaled = scale === null ? read! : builder.mul(read!, scale);
    const y = plus === null ? scaled : builder.add(scaled, plus);
    const original = node.outputs[i]!;
    const { name } = graph.values[original]!;
    known.set(original, name === null ? y : builder.label(y, name));
    known.set(node.outputs[outputs]!, final!);
  });
  return form.reads.length > 0;
}

/** The positions that a reset flag `positions = 0` was made of. */
function positionsOf(builder: GraphBuilder, flag: ValueId): ValueId {
  const producer = builder.producer(flag);
  if (producer?.op !== "map" || producer.attributes.fn !== "eq")
    throw new InternalFault("a recurrence is reset by something else than positions");
  return producer.inputs[0]!;
}
