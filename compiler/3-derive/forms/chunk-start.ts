/**
 * Family F7, the chunk-start form: a step that is affine in its states once the states at the start of the
 * chunk are known (2-lower/chunk-start.ts).
 *
 * It is a scan over chunks. Within a chunk the start is constant, so what the step does with it is computed
 * for all n tokens at once, by matrix products; what is left is a recurrence of n tokens in its own
 * family's chunk form. So it needs chunks that begin at the same tokens in every row of the batch.
 */

import { GraphBuilder } from "../../ir/builder.js";
import { copyNode } from "../../ir/copy.js";
import type { Graph, NodeOf, ValueId } from "../../ir/graph.js";
import { type TensorType, findAxis, withoutAxes } from "../../ir/types.js";
import { Handover } from "./handover.js";
import type { NoForm } from "./inside-chunk.js";

/** The states of a scan that are copies of others, as of the chunk's start. */
export interface Held {
  readonly size: number; // tokens a chunk
  /** Index of a copy → index of the state that it is of. */
  readonly copies: ReadonlyMap<number, number>;
}

/** Finds states that step by `start ← position mod n = 0 ? S : start`; null when there are none. */
export function heldStates(
  builder: GraphBuilder,
  node: NodeOf<"scan">,
  inputs: readonly ValueId[],
): Held | null {
  const { body, states, sequences, resets } = node.attributes;
  if (!resets) return null;
  const flag = builder.producer(inputs[states]!);
  const positions = flag?.inputs[0];
  const copies = new Map<number, number>();
  const sizes = new Set<number>();
  body.outputs.slice(0, states).forEach(({ value }, at) => {
    const step = body.nodes.find(({ outputs }) => outputs.includes(value));
    if (step?.op !== "map" || step.attributes.fn !== "select") return;
    const [first, now, held] = step.inputs.map((id) =>
      body.inputs.findIndex((input) => input.value === id),
    );
    if (held !== at || now === undefined || now < 0 || now >= states || now === at) return;
    if (first === undefined || first < states || first >= states + sequences) return;
    const size = chunkOf(builder, inputs[first + 1]!, positions);
    const used = body.nodes.filter(({ inputs: own }) => own.includes(body.inputs[at]!.value));
    if (size === null || used.length !== 1) return;
    copies.set(at, now);
    sizes.add(size);
  });
  const [size] = sizes;
  return sizes.size === 1 ? { size: size!, copies } : null;
}

/** n of a flag `positions mod n = 0`. */
function chunkOf(builder: GraphBuilder, flag: ValueId, positions: ValueId | undefined) {
  const equal = builder.producer(flag);
  if (equal?.op !== "map" || equal.attributes.fn !== "eq") return null;
  const place = builder.producer(equal.inputs[0]!);
  if (place?.op !== "map" || place.attributes.fn !== "mod") return null;
  if (builder.constantOf(equal.inputs[1]!) !== 0 || place.inputs[0] !== positions) return null;
  return builder.constantOf(place.inputs[1]!) ?? null;
}

/** The states of a scan without the copies. */
export const ownStates = (node: NodeOf<"scan">, { copies }: Held): number[] =>
  Array.from({ length: node.attributes.states }, (_, i) => i).filter((i) => !copies.has(i));

/** A recurrence of one chunk in a builder: its outputs along the axis, and the states behind it. */
export interface ChunkStep {
  readonly outputs: readonly ValueId[];
  readonly finals: readonly ValueId[];
}

/** Brings a scan without resets, given with its inputs, into a form without a scan; or says why there is none. */
export type InsideForm = (
  builder: GraphBuilder,
  node: NodeOf<"scan">,
  inputs: readonly ValueId[],
) => ChunkStep | NoForm;

/** Replaces a scan with held states; `inside` gives the form within a chunk. */
export function chunkStartForm(
  builder: GraphBuilder,
  node: NodeOf<"scan">,
  inputs: readonly ValueId[],
  held: Held,
  inside: InsideForm,
): ChunkStep | NoForm {
  const { axis, states, sequences, label } = node.attributes;
  const own = ownStates(node, held);
  const initial = own.map((i) => inputs[i]!);
  const steps = inputs.slice(states + 1, states + 1 + sequences);
  const statics = inputs.slice(states + 1 + sequences);
  const length = steps.map((id) => findAxis(builder.type(id), axis)!.size)[0];
  if (length === undefined) return { reason: "its step uses nothing of the token" };
  const size = Math.min(held.size, length);
  const count = Math.ceil(length / size);
  /** One chunk, its states, sequences and statics being values of `b`. */
  const chunk = (
    b: GraphBuilder,
    given: readonly ValueId[],
    sequence: readonly ValueId[],
    rest: readonly ValueId[],
  ): ChunkStep | NoForm => {
    const body = withoutCopies(node, held, own);
    const starts = [...held.copies.values()].map((of) => given[own.indexOf(of)]!);
    const attributes = {
      ...node.attributes,
      body,
      states: own.length,
      resets: false,
      restart: own.map(() => 0),
      chunk: size,
    };
    const all = [...given, ...sequence, ...rest, ...starts];
    const made = inside(b, { op: "scan", attributes, inputs: all, outputs: [], region: null }, all);
    if ("reason" in made) return made;
    const conform = (id: ValueId, { axes }: TensorType, along: boolean): ValueId => {
      const [batch, ...others] = axes;
      return b.conform(id, along ? [batch!, { name: axis, size }, ...others] : axes);
    };
    const typeOf = (at: number): TensorType => body.values[body.outputs[at]!.value]!.type;
    return {
      finals: made.finals.map((id, i) => conform(id, typeOf(i), false)),
      outputs: made.outputs.map((id, i) => conform(id, typeOf(own.length + i), true)),
    };
  };
  if (count === 1) return chunk(builder, initial, steps, statics);

  const body = new GraphBuilder(`${label} over chunks`);
  const given = initial.map((id, i) => body.input(`S${i}`, builder.type(id)));
  const hand = new Handover(builder, body, axis, (id) =>
    cutInChunks(builder, id, axis, size, count, length),
  );
  const made = chunk(
    body,
    given,
    steps.map((id) => hand.value(id)),
    statics.map((id) => hand.value(id)),
  );
  if ("reason" in made) return made;
  body.outputs.push(...made.finals.map((value, i) => ({ name: `S${i}`, value })));
  body.outputs.push(...made.outputs.map((value, i) => ({ name: `y${i}`, value })));
  const order = [...given, ...[...hand.sequences, ...hand.statics].map(({ inner }) => inner)];
  const inputOf = new Map(body.inputs.map((port) => [port.value, port]));
  const attributes = {
    axis: "chunk",
    body: { ...body.finish(), inputs: order.map((id) => inputOf.get(id)!) },
    states: own.length,
    sequences: hand.sequences.length,
    resets: false,
    restart: own.map(() => 0),
    reverse: false,
    label: `${label} over chunks`,
    chunk: null,
  };
  const results = builder.ops("scan", attributes, [
    ...initial,
    ...hand.sequences.map(({ outer }) => outer),
    ...hand.statics.map(({ outer }) => outer),
  ]);
  const outputs = results.slice(0, made.outputs.length).map((id) => {
    const whole = builder.op("merge", { outer: "chunk", inner: axis, into: axis }, [id]);
    return builder.slice(whole, axis, 0, length);
  });
  return { outputs, finals: results.slice(outputs.length, outputs.length + own.length) };
}

/**
 * [batch, axis, ..] → [batch, chunk, axis, ..]. The last token is repeated up to a whole chunk: what is computed of
 * it is real, as zeros might not be (1 / 0), and not used.
 */
function cutInChunks(
  builder: GraphBuilder,
  x: ValueId,
  axis: string,
  size: number,
  count: number,
  length: number,
): ValueId {
  const [batch, ...rest] = withoutAxes(builder.type(x).axes, [axis]);
  const missing = size * count - length;
  const along = builder.conform(x, [batch!, { name: axis, size: length }, ...rest]);
  const last = builder.sum(builder.slice(along, axis, length - 1, 1), [axis]);
  const whole =
    missing === 0
      ? along
      : builder.op("concat", { axis }, [
          along,
          builder.conform(last, [batch!, { name: axis, size: missing }, ...rest]),
        ]);
  const outer = { name: "chunk", size: count };
  return builder.op("split", { axis, outer, inner: { name: axis, size } }, [whole]);
}

/** The body of a scan within a chunk: the copies are statics, behind all others. */
function withoutCopies(
  { attributes }: NodeOf<"scan">,
  { copies }: Held,
  own: readonly number[],
): Graph {
  const { body, states } = attributes;
  const builder = new GraphBuilder(body.name);
  const known = new Map<ValueId, ValueId>();
  const declare = ({ name, value }: { readonly name: string; readonly value: ValueId }): void => {
    known.set(value, builder.input(name, body.values[value]!.type));
  };
  own.forEach((i) => {
    declare(body.inputs[i]!);
  });
  body.inputs.slice(states).forEach(declare);
  const held = new Set<ValueId>();
  for (const at of copies.keys()) {
    const { name, value } = body.outputs[at]!;
    held.add(value);
    declare({ name, value });
  }
  for (const node of body.nodes)
    if (!node.outputs.some((id) => held.has(id))) copyNode(builder, body, node, known);
  const ports = [...own.map((i) => body.outputs[i]!), ...body.outputs.slice(states)];
  builder.outputs.push(
    ...ports.map(({ name, value }) => ({
      name,
      value: builder.conform(known.get(value)!, body.values[value]!.type.axes),
    })),
  );
  return builder.finish();
}
