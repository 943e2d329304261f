/** Token-level ops as ops over batch and time. Everything elementwise or contracting stays as it is. */

import { type Node, type NodeOf, type ValueId, allResults } from "../ir/graph.js";
import { InternalFault, findAxis, hasAxis } from "../ir/types.js";
import { concatWhole, expandWhole } from "../ir/whole.js";
import { type Lowering, type SequenceContext } from "./context.js";
import { leaveRoute, rowOfExpert } from "./route.js";

/** Lowers one node outside any recurrence, its inputs being lowered; gives its outputs. */
export function lowerNode(
  lowering: Lowering,
  node: Node,
  inputs: readonly ValueId[],
  sequence: SequenceContext,
): readonly ValueId[] {
  const { builder } = lowering;
  switch (node.op) {
    case "position":
      return [sequence.positions];
    case "source":
      return [builder.inputs.find(({ name }) => name === node.attributes.source)!.value];
    case "lag":
      return [lowerLag(lowering, node.attributes.by, inputs[0]!, sequence)];
    case "patches":
      return [lowerPatches(lowering, node, inputs[0]!)];
    case "all_tokens":
      return [builder.rename(inputs[0]!, { time: node.attributes.tokens.name })];
    case "token_mean":
      return [lowerMean(lowering, inputs[0]!, sequence)];
    case "conv":
      return [lowerConv(lowering, node, inputs, sequence)];
    case "attend":
      return [lowerAttend(lowering, node, inputs, sequence)];
    case "mix":
      throw new InternalFault("a mix is lowered by its region");
    case "call":
      return lowerCall(lowering, node, inputs, sequence);
    case "state":
    case "write":
      throw new InternalFault(`${node.op} outside a recurrence`);
    case "dot":
      return [lowerDot(lowering, node, inputs, sequence)];
    case "expand":
      return [expandWhole(builder, node, aligned(lowering, inputs, sequence)[0]!)];
    case "concat":
      return [concatWhole(builder, node, aligned(lowering, inputs, sequence))];
    default: {
      const own = aligned(lowering, inputs, sequence);
      return (
        builder.ops as (op: string, a: unknown, i: readonly ValueId[]) => readonly ValueId[]
      ).call(builder, node.op, node.attributes, own);
    }
  }
}

/** True for values of a token or slot; false for what only depends on parameters. */
export function varies(lowering: Lowering, value: ValueId): boolean {
  return hasAxis(lowering.builder.type(value), "batch");
}

/** In a region, beside values of slots, values of experts are taken for each slot's expert. */
export function aligned(
  lowering: Lowering,
  inputs: readonly ValueId[],
  sequence: SequenceContext,
): readonly ValueId[] {
  if (!sequence.route || !inputs.some((id) => varies(lowering, id))) return inputs;
  return inputs.map((id) => (varies(lowering, id) ? id : rowOfExpert(lowering, sequence, id)));
}

/** A contraction with an expert's own matrix reads the matrix in place, instead of a copy per slot. */
function lowerDot(
  lowering: Lowering,
  node: NodeOf<"dot">,
  inputs: readonly ValueId[],
  sequence: SequenceContext,
): ValueId {
  const { builder } = lowering;
  const { over } = node.attributes;
  const [a, b] = inputs as [ValueId, ValueId];
  if (sequence.route) {
    const group = sequence.route.experts.name;
    const isMatrix = (id: ValueId): boolean =>
      !varies(lowering, id) && hasAxis(builder.type(id), group);
    const [x, w] = isMatrix(b) ? [a, b] : [b, a];
    const batched = builder
      .type(w)
      .axes.some(
        (axis) =>
          axis.name !== group && !over.includes(axis.name) && hasAxis(builder.type(x), axis.name),
      );
    if (isMatrix(w) && varies(lowering, x) && !batched) {
      const ids = sequence.route.expertOfSlot;
      return builder.op("grouped_dot", { over, group }, [x, w, ids]);
    }
  }
  const [left, right] = aligned(lowering, inputs, sequence);
  return builder.dot(left!, right!, over);
}

/** A window cut into its tokens: their axis is time. */
function lowerPatches(lowering: Lowering, node: NodeOf<"patches">, x: ValueId): ValueId {
  const { axis, patch } = node.attributes;
  const { name, size } = patch;
  const attributes = { axis, outer: lowering.time, inner: { name, size } };
  return lowering.builder.op("split", attributes, [x]);
}

/** A value of every token or slot, also where it is one for all of them or one for each expert. */
function spread(lowering: Lowering, value: ValueId, sequence: SequenceContext): ValueId {
  const { builder, batch } = lowering;
  const own = aligned(lowering, [value, sequence.positions], sequence)[0]!;
  const { axes } = builder.type(own);
  if (axes.some(({ name }) => name === sequence.axis.name)) return own;
  const rest = axes.filter(({ name }) => name !== "batch"); // a window's value has its batch
  return builder.conform(own, [batch, sequence.axis, ...rest]);
}

function lowerLag(lowering: Lowering, by: number, x: ValueId, sequence: SequenceContext): ValueId {
  const own = spread(lowering, x, sequence);
  return lowering.builder.op("delay", { axis: sequence.axis.name, by }, [own, sequence.positions]);
}

function lowerMean(lowering: Lowering, x: ValueId, sequence: SequenceContext): ValueId {
  const { builder } = lowering;
  const names = ["batch", sequence.axis.name].filter((name) => hasAxis(builder.type(x), name));
  const count = names.reduce((n, name) => n * findAxis(builder.type(x), name)!.size, 1);
  return builder.mul(builder.sum(x, names), builder.constant(1 / count));
}

function lowerConv(
  lowering: Lowering,
  node: NodeOf<"conv">,
  [x, w]: readonly ValueId[],
  sequence: SequenceContext,
): ValueId {
  const { builder } = lowering;
  const { taps } = node.attributes;
  const axis = sequence.axis.name;
  const input = spread(lowering, x!, sequence);
  const group = sequence.route?.experts.name;
  if (!varies(lowering, w!) && (group === undefined || !hasAxis(builder.type(w!), group)))
    return builder.op("conv", { axis, taps }, [input, w!, sequence.positions]);
  // taps of each token, or of each expert: one term a tap
  const terms = Array.from({ length: builder.size(w!, taps) }, (_, j) => {
    const tap = builder.sum(builder.slice(w!, taps, j, 1), [taps]);
    const past = j === 0 ? input : lowerLag(lowering, j, input, sequence);
    return builder.mul(past, aligned(lowering, [tap, sequence.positions], sequence)[0]!);
  });
  return terms.reduce(builder.add);
}

function lowerAttend(
  lowering: Lowering,
  node: NodeOf<"attend">,
  [q, k, v]: readonly ValueId[],
  sequence: SequenceContext,
): ValueId {
  const own = [q!, k!, v!].map((id) => spread(lowering, id, sequence));
  const attributes = { ...node.attributes, axis: sequence.axis.name };
  return lowering.builder.op("attend", attributes, [...own, sequence.positions]);
}

function lowerCall(
  lowering: Lowering,
  node: NodeOf<"call">,
  [x]: readonly ValueId[],
  sequence: SequenceContext,
): readonly ValueId[] {
  const { builder, callees } = lowering;
  const { callee, prefix } = node.attributes;
  const target = callees.get(callee)!;
  const input = builder.conform(x!, target.values[target.inputs[0]!.value]!.type.axes);
  const ports = allResults(target);
  const types = ports.map(({ value }) => target.values[value]!.type);
  const outputs = builder.node("call", { callee, prefix }, [input, sequence.positions], types);
  const penalties = target.outputs.length;
  const updates = penalties + target.penalties.length;
  const metrics = updates + target.updates.length;
  target.penalties.forEach(({ name }, i) =>
    builder.penalty(`${prefix}.${name}`, outputs[penalties + i]!),
  );
  target.updates.forEach(({ path }, i) =>
    builder.update(`${prefix}.${path}`, outputs[updates + i]!),
  );
  target.metrics.forEach(({ name }, i) =>
    builder.metric(`${prefix}.${name}`, outputs[metrics + i]!),
  );
  return outputs.slice(0, penalties);
}

/** The result of a mix, its body's value being lowered in the region. */
export function lowerMix(lowering: Lowering, body: ValueId, sequence: SequenceContext): ValueId {
  const { builder, batch } = lowering;
  const [own] = aligned(lowering, [body, sequence.positions], sequence);
  const rest = builder
    .type(own!)
    .axes.filter((axis) => axis.name !== "batch" && axis.name !== sequence.axis.name);
  return leaveRoute(lowering, sequence, builder.conform(own!, [batch, sequence.axis, ...rest]));
}
