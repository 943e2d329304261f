/** A recurrence of the token graph as one `scan` node. */

import type { Span } from "../../grammar/ast.js";
import { GraphBuilder } from "../ir/builder.js";
import type { Node, ValueId } from "../ir/graph.js";
import { type TensorType, hasAxis, withoutAxes } from "../ir/types.js";
import { concatWhole, expandWhole } from "../ir/whole.js";
import type { Lowering, SequenceContext } from "./context.js";
import { aligned } from "./nodes.js";
import type { Recurrence } from "./recurrences.js";

/**
 * Lowers a recurrence, its outside inputs being lowered (`inputOf`); gives the lowered value of every
 * value of the step that is used outside it.
 */
export function lowerRecurrence(
  lowering: Lowering,
  recurrence: Recurrence,
  wanted: readonly ValueId[],
  inputOf: (id: ValueId) => ValueId,
  sequence: SequenceContext,
): ReadonlyMap<ValueId, ValueId> {
  const { builder, source, batch } = lowering;
  const inside = new Set(recurrence.nodes.flatMap((node) => node.outputs));
  const outer = [
    ...new Set(recurrence.nodes.flatMap((node) => node.inputs).filter((id) => !inside.has(id))),
  ];
  const axis = sequence.axis.name;
  // the positions make sure that what varies by expert alone is taken for each slot
  const lowered = new Map(
    outer.map((id) => [id, aligned(lowering, [inputOf(id), sequence.positions], sequence)[0]!]),
  );
  const sequences = outer.filter((id) => hasAxis(builder.type(lowered.get(id)!), axis));
  const statics = outer.filter((id) => !sequences.includes(id));

  const label = recurrence.states.map((state) => source.states[state]!.name).join(", ");
  const body = new GraphBuilder(label);
  const inner = new Map<ValueId, ValueId>();
  const states = recurrence.states.map((state) => source.states[state]!);
  states.forEach(({ name, axes }, i) => {
    const type: TensorType = {
      dtype: "float",
      axes: [batch, ...axes.map(({ name, size }) => ({ name, size }))],
    };
    inner.set(recurrence.olds[i]!, body.input(name, type));
  });
  for (const id of [...sequences, ...statics]) {
    const type = builder.type(lowered.get(id)!);
    const step = { dtype: type.dtype, axes: withoutAxes(type.axes, [axis]) };
    inner.set(id, body.input(source.values[id]!.name ?? `v${id}`, step));
  }
  for (const node of recurrence.nodes)
    if (node.op !== "state") copyStep(node, body, inner, (id) => source.values[id]!.span);
  states.forEach(({ name, axes }, i) => {
    const value = body.conform(inner.get(recurrence.news[i]!)!, [batch, ...axes]);
    body.outputs.push({ name, value });
  });
  const read = wanted.filter((id) => !recurrence.olds.includes(id));
  for (const id of read) {
    const type = body.type(inner.get(id)!);
    const axes = [batch, ...withoutAxes(type.axes, ["batch"])];
    body.outputs.push({
      name: source.values[id]!.name ?? `v${id}`,
      value: body.conform(inner.get(id)!, axes),
    });
  }
  const initial = states.map(({ axes, initial }) =>
    builder.conform(builder.constant(initial), [batch, ...axes]),
  );
  const resets = builder.map("eq", sequence.positions, builder.constant(0));
  const chunk = recurrence.nodes.find(
    (node) => node.op === "write" && node.attributes.chunk !== null,
  );
  const attributes = {
    axis,
    body: body.finish(),
    states: states.length,
    sequences: sequences.length,
    resets: true,
    restart: states.map(({ initial }) => initial),
    reverse: false,
    label,
    chunk: chunk?.op === "write" ? chunk.attributes.chunk : null,
  };
  const all = [
    resets,
    ...sequences.map((id) => lowered.get(id)!),
    ...statics.map((id) => lowered.get(id)!),
  ];
  const outputs = builder.ops("scan", attributes, [...initial, ...all]);
  const result = new Map<ValueId, ValueId>();
  read.forEach((id, i) => {
    const name = source.values[id]!.name;
    result.set(id, name === null ? outputs[i]! : builder.label(outputs[i]!, name));
  });
  recurrence.olds.forEach((id, i) => {
    if (wanted.includes(id)) result.set(id, outputs[read.length + states.length + i]!);
  });
  return result;
}

/** A node of the step in the body: writes pass their value on, all else is itself. */
function copyStep(
  node: Node,
  body: GraphBuilder,
  inner: Map<ValueId, ValueId>,
  spanOf: (id: ValueId) => Span | null,
): void {
  const inputs = node.inputs.map((id) => inner.get(id)!);
  body.span = spanOf(node.outputs[0]!);
  if (node.op === "write") {
    inner.set(node.outputs[0]!, inputs[0]!);
    return;
  }
  const outputs = copied(node, body, inputs);
  node.outputs.forEach((id, i) => inner.set(id, outputs[i]!));
}

function copied(node: Node, body: GraphBuilder, inputs: readonly ValueId[]): readonly ValueId[] {
  switch (node.op) {
    case "dot":
      return [body.dot(inputs[0]!, inputs[1]!, node.attributes.over)];
    case "map":
      return [body.map(node.attributes.fn, ...inputs)];
    case "constant":
      return [body.constant(node.attributes.value)];
    case "expand":
      return [expandWhole(body, node, inputs[0]!)];
    case "concat":
      return [concatWhole(body, node, inputs)];
    default:
      return (
        body.ops as (op: string, a: unknown, i: readonly ValueId[]) => readonly ValueId[]
      ).call(body, node.op, node.attributes, inputs);
  }
}
