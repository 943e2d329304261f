/**
 * Recurrences as one op each, for targets that have kernels for them: what a scan computes out of its
 * step becomes the operands q, k, v, log Λ, a and b of a `recurrence`, computed for all tokens around it.
 *
 * Where the decay has every axis of the state it is a `selective_scan`, if its parts are smaller than the state. Other states that
 * are changed elementwise, or linearly in the max-plus semiring, are one `state_scan`; what has no such form stays a `scan`.
 */

import { GraphBuilder } from "../../ir/builder.js";
import type { Graph, Module, NodeOf, ValueId } from "../../ir/graph.js";
import { InternalFault, findAxis } from "../../ir/types.js";
import { closeCopy, copyNode, openCopy } from "../../ir/copy.js";
import { prune } from "../prune.js";
import { planChunk } from "./chunk.js";
import { logarithm } from "./factors.js";
import { covering } from "./layout.js";
import { Analysis, type NormalForm } from "./normal-form.js";
import { withoutRotations } from "./rotation.js";
import { selectivePlan, selectiveScans } from "./selective.js";
import { documentFrame, stateScanForm } from "./state-scan.js";
import { type Tropical, tropicalStep } from "./tropical.js";
import { type Frame, inFrame } from "./turn.js";

export const withOperands = (module: Module): Module => withoutRotations(rewritten(module, true));

/** Recurrences alone, and rotations as they are: for who still has to look into steps that stay. */
export const operandForms = (module: Module): Module => rewritten(module, false);

function rewritten(module: Module, stateScans: boolean): Module {
  const functions = new Map(
    [...module.functions].map(([name, graph]) => [name, prune(rewrite(graph, stateScans))]),
  );
  return { main: module.main, functions };
}

function rewrite(graph: Graph, stateScans: boolean): Graph {
  const builder = new GraphBuilder(graph.name);
  const known = openCopy(builder, graph);
  const used = new Set(graph.nodes.flatMap((node) => node.inputs));
  for (const node of graph.nodes) {
    builder.origin = graph.values[node.outputs[0]!]!.origin;
    if (node.op === "scan" && rewriteScan(builder, graph, node, known, used, stateScans)) continue;
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
  stateScans: boolean,
): boolean {
  const { axis, body, states, resets, restart, label } = node.attributes;
  const inputs = node.inputs.map((id) => known.get(id)!);
  const state = inputs[0]!;
  const outputs = body.outputs.length - states;
  if (states !== 1 || !resets || !begins(builder, state, restart[0]!)) return false;
  const finalUsed = node.outputs.slice(outputs, outputs + states).some((id) => used.has(id));
  const keepsBefores = node.outputs.slice(outputs + states).some((id) => used.has(id));
  const positions = positionsOf(builder, inputs[1]!);
  const length = findAxis(builder.type(positions), axis)!;
  const type = builder.type(state);
  const replace = (results: readonly ValueId[]): void => {
    results.forEach((id, i) => {
      const original = node.outputs[i]!;
      const { name } = graph.values[original]!;
      known.set(original, name === null ? id : builder.label(id, name));
    });
  };
  const scanned = (step: NormalForm | Tropical, frame: Frame | null): boolean => {
    if (finalUsed || !stateScans) return false;
    const made = stateScanForm(builder, node, inputs, positions, step, frame);
    replace(made.outputs);
    known.set(node.outputs[outputs + 1]!, made.before);
    return true;
  };
  const analysed = new Analysis(builder, node, type).run(inputs);
  if (analysed.kind === "not affine") {
    const step = tropicalStep(builder, node, inputs);
    return step !== null && scanned(step, null);
  }
  const { turn } = analysed;
  if (turn !== null && (!stateScans || finalUsed || restart[0] !== 0)) return false;
  const frame = turn === null ? null : documentFrame(builder, turn, type, positions, length);
  const form = frame === null ? analysed : inFrame(builder, analysed, type, frame);
  const { key } = form;
  const whole = (x: ValueId): ValueId => covering(builder, x, key, type);
  const plan =
    form.obstacle === null &&
    !keepsBefores &&
    restart[0] === 0 &&
    key.length > 0 &&
    form.reads.length > 0
      ? planChunk(builder, form, state, length.size, null)
      : null;
  const selective =
    plan === null && stateScans && !keepsBefores && !finalUsed && restart[0] === 0
      ? selectivePlan(builder, form, type, axis)
      : null;
  if (selective !== null) {
    replace(selectiveScans(builder, form, selective, { axis, state, positions, label }));
    return true;
  }
  if (plan === null) return form.erases.length === 0 && scanned(form, frame);
  const operands = [
    ...(form.gate === null ? [] : [logarithm(builder, form.gate)]),
    ...plan.writes.flatMap(({ key: k, value }) => [k, value]),
    ...form.erases.flatMap(({ a, b }) => [a, whole(b)]),
  ];
  const attributes = {
    axis,
    key,
    gated: form.gate !== null,
    writes: plan.writes.length,
    erases: form.erases.length,
    label,
  } as const;
  const results = form.reads.map(({ query, scale, plus, when }) => {
    const read = when === "new" ? "after" : "before";
    const values = [state, positions, whole(query), ...operands];
    const [y, final] = builder.ops("recurrence", { ...attributes, read }, values);
    known.set(node.outputs[outputs]!, final!);
    const scaled = scale === null ? y! : builder.mul(y!, scale);
    return plus === null ? scaled : builder.add(scaled, plus);
  });
  replace(results);
  return true;
}

/** Whether a state is, before the first token, what it is before a document. */
function begins(builder: GraphBuilder, state: ValueId, restart: number): boolean {
  const producer = builder.producer(state);
  const [value] = producer?.op === "expand" ? producer.inputs : [state];
  const constant = builder.producer(value!);
  return constant?.op === "constant" && constant.attributes.value === restart;
}

/** The positions that a reset flag `positions = 0` was made of. */
function positionsOf(builder: GraphBuilder, flag: ValueId): ValueId {
  const producer = builder.producer(flag);
  if (producer?.op !== "map" || producer.attributes.fn !== "eq")
    throw new InternalFault("a recurrence is reset by something else than positions");
  return producer.inputs[0]!;
}
