/**
 * The chunk-start form where chunks begin at tokens of their own in every row: packed documents, memories of a `mix`.
 *
 * The row is cut into windows of n tokens, as long as a chunk. Chunks are counted from their document's first token, so a
 * window holds, in this order and each perhaps not at all:
 *
 *     A  the rest of a chunk that began before: its start H is handed on from the window before
 *     B  the beginning of that document's next chunk: its start is the state M behind A
 *     C  beginnings of documents, whose start is where states restart
 *
 * since chunks of one document begin n tokens apart, and a document that begins in the window begins no second chunk in
 * it. So a window is computed at once in two rounds: A alone gives M; then what the step does with its chunk's start is computed of
 * H, of M and of the restart, each token takes its own, and what is left is affine in its states.
 */

import { GraphBuilder } from "../../ir/builder.js";
import { copyNode } from "../../ir/copy.js";
import type { Graph, NodeOf, ValueId } from "../../ir/graph.js";
import { elementCount } from "../../ir/types.js";
import { type Held, type InsideForm, ownStates, withoutCopies } from "./chunk-start.js";
import type { NoForm } from "./inside-chunk.js";
import { type ChunkStep, perChunk } from "./per-chunk.js";

export function packedChunksForm(
  builder: GraphBuilder,
  node: NodeOf<"scan">,
  inputs: readonly ValueId[],
  held: Held,
  inside: InsideForm,
): ChunkStep | NoForm {
  const { axis, body, states, sequences, label, restart } = node.attributes;
  const own = ownStates(node, held);
  const copies = [...held.copies];
  const step = withoutCopies(node, held, own);
  const first = alone(step, own.length, axis);
  const second = chosen(step, own, copies, restart);
  const end = states + 1 + sequences;
  const parts = {
    axis,
    label,
    size: held.size,
    initial: inputs.slice(0, states),
    sequences: inputs.slice(states, end),
    statics: inputs.slice(end),
  };
  return perChunk(builder, parts, body, (b, size, given, [resets, ...steps], statics) => {
    const begins = steps[held.flag - states]!;
    const running = (x: ValueId): ValueId =>
      b.op("cumulate", { fn: "sum", axis, reverse: false, exclusive: false }, [x]);
    const [chunks, documents] = [running(begins), running(resets!)];
    const zero = b.constant(0);
    const inA = b.map("eq", chunks, zero);
    const inB = b.mul(b.sub(b.constant(1), inA), b.map("eq", documents, zero));
    const now = own.map((i) => given[i]!);
    const H = copies.map(([at]) => given[at]!);

    const run = (stepOf: Graph, more: Partial<typeof node.attributes>, all: ValueId[]) => {
      const attributes = {
        ...node.attributes,
        body: stepOf,
        states: own.length,
        chunk: size,
        ...more,
      };
      return inside(b, { op: "scan", attributes, inputs: all, outputs: [], region: null }, all);
    };
    const restarts = own.map((i) => restart[i]!);
    const toM = run(first, { resets: false, restart: own.map(() => 0), sequences: sequences + 1 }, [
      ...now,
      inA,
      ...steps,
      ...statics,
      ...H,
    ]);
    if ("reason" in toM) return toM;
    const M = copies.map(([, of]) => toM.finals[own.indexOf(of)]!);
    const whole = run(second, { restart: restarts, sequences: sequences + 2 }, [
      ...now,
      resets!,
      inA,
      inB,
      ...steps,
      ...statics,
      ...H,
      ...M,
    ]);
    if ("reason" in whole) return whole;

    const last = (x: ValueId): ValueId => b.sum(b.slice(x, axis, size - 1, 1), [axis]);
    const [chunksLast, documentsLast] = [last(chunks), last(documents)];
    const next = copies.map(([, of], i) => {
      const started = b.map("select", chunksLast, M[i]!, H[i]!);
      return b.map("select", documentsLast, b.constant(restart[of]!), started);
    });
    const finals = Array.from({ length: states }, (_, i) => {
      const at = copies.findIndex(([copy]) => copy === i);
      return at < 0 ? whole.finals[own.indexOf(i)]! : next[at]!;
    });
    return { outputs: whole.outputs, finals };
  });
}

/** The step where a mask is 1, and the states as they were elsewhere; without reads. */
function alone(step: Graph, states: number, axis: string): Graph {
  const builder = new GraphBuilder(step.name);
  const known = new Map<ValueId, ValueId>();
  const declare = ({ name, value }: Graph["inputs"][number]): void => {
    known.set(value, builder.input(name, step.values[value]!.type));
  };
  step.inputs.slice(0, states).forEach(declare);
  const batch = step.values[step.inputs[0]!.value]!.type.axes[0]!;
  const mask = builder.input(`${axis} of the chunk before`, { dtype: "float", axes: [batch] });
  step.inputs.slice(states).forEach(declare);
  for (const node of step.nodes) copyNode(builder, step, node, known);
  step.outputs.slice(0, states).forEach(({ name, value }, i) => {
    const old = known.get(step.inputs[i]!.value)!;
    const stepped = builder.map("select", mask, known.get(value)!, old);
    builder.outputs.push({ name, value: builder.conform(stepped, step.values[value]!.type.axes) });
  });
  return builder.finish();
}

/** The step, of whose values of a chunk's start each token takes that of A, of B or of C. */
function chosen(
  step: Graph,
  own: readonly number[],
  copies: readonly (readonly [number, number])[],
  restart: readonly number[],
): Graph {
  const builder = new GraphBuilder(step.name);
  const known = new Map<ValueId, ValueId>();
  const declare = ({ name, value }: Graph["inputs"][number]): ValueId => {
    const id = builder.input(name, step.values[value]!.type);
    known.set(value, id);
    return id;
  };
  const states = step.inputs.slice(0, own.length);
  const starts = step.inputs.slice(-copies.length);
  states.forEach(declare);
  const batch = step.values[states[0]!.value]!.type.axes[0]!;
  const flag = (name: string): ValueId => builder.input(name, { dtype: "float", axes: [batch] });
  const [inA, inB] = [flag("in A"), flag("in B")];
  step.inputs.slice(own.length, -copies.length).forEach(declare);
  /** Values that depend on the chunk's start and on no state of now, of the starts of A, B and C. */
  const versions = [
    new Map<ValueId, ValueId>(),
    new Map<ValueId, ValueId>(),
    new Map<ValueId, ValueId>(),
  ];
  versions.slice(0, 2).forEach((version, i) => {
    for (const { name, value } of starts)
      version.set(value, builder.input(`${name} of ${"AB"[i]!}`, step.values[value]!.type));
  });
  starts.forEach(({ value }, i) => {
    const { axes } = step.values[value]!.type;
    versions[2]!.set(value, builder.conform(builder.constant(restart[copies[i]![1]]!), axes));
  });
  const moving = new Set(states.map(({ value }) => value));
  const frozen = new Set(starts.map(({ value }) => value));
  const sizeOf = (id: ValueId): number => elementCount(step.values[id]!.type);
  const largest = Math.max(...starts.map((start) => sizeOf(start.value)));
  const value = (id: ValueId): ValueId => {
    const seen = known.get(id);
    if (seen !== undefined) return seen;
    const [a, b, c] = versions.map((version) => version.get(id)!);
    const made = builder.map("select", inA, a!, builder.map("select", inB, b!, c!));
    known.set(id, made);
    return made;
  };
  for (const node of step.nodes) {
    const isMoving = node.inputs.some((id) => moving.has(id));
    const isFrozen = node.inputs.some((id) => frozen.has(id));
    if (isMoving) node.outputs.forEach((id) => moving.add(id));
    if (isFrozen && !isMoving) {
      for (const version of versions) {
        for (const id of node.inputs) if (!version.has(id)) version.set(id, known.get(id)!);
        copyNode(builder, step, node, version);
      }
      // what was read of the start is smaller than it: from there on there is one value of each token
      for (const id of node.outputs)
        if (sizeOf(id) < largest) value(id);
        else frozen.add(id);
      continue;
    }
    node.inputs.forEach(value);
    copyNode(builder, step, node, known);
  }
  for (const { name, value: id } of step.outputs)
    builder.outputs.push({
      name,
      value: builder.conform(value(id), step.values[id]!.type.axes),
    });
  return builder.finish();
}
