/**
 * Family F7, the chunk-start form: a step that is affine in its states once the states at the start of the
 * chunk are known (2-lower/chunk-start.ts).
 *
 * It is a scan over chunks. Within a chunk the start is constant, so what the step does with it is computed
 * for all n tokens at once, by matrix products; what is left is a recurrence of n tokens in its own
 * family's chunk form. So it needs chunks that begin at the same tokens in every row of the batch; where they do not,
 * packed-chunks.ts has another.
 */

import { GraphBuilder } from "../../ir/builder.js";
import { copyNode } from "../../ir/copy.js";
import type { Graph, NodeOf, ValueId } from "../../ir/graph.js";
import type { NoForm } from "./inside-chunk.js";
import { type ChunkStep, type ScanParts, perChunk } from "./per-chunk.js";

/** The states of a scan that are copies of others, as of the chunk's start. */
export interface Held {
  readonly size: number; // tokens a chunk
  readonly flag: number; // index of the body's input that says where chunks begin
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
  const positions = builder.producer(inputs[states]!)?.inputs[0];
  const copies = new Map<number, number>();
  const sizes = new Set<number>();
  const flags = new Set<number>();
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
    flags.add(first);
  });
  const [[size], [flag]] = [sizes, flags];
  return sizes.size === 1 && flags.size === 1 ? { size: size!, flag: flag!, copies } : null;
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
  const body = withoutCopies(node, held, own);
  const parts: ScanParts = {
    axis,
    label,
    size: held.size,
    initial: own.map((i) => inputs[i]!),
    sequences: inputs.slice(states + 1, states + 1 + sequences),
    statics: inputs.slice(states + 1 + sequences),
  };
  return perChunk(builder, parts, body, (b, size, given, steps, statics) => {
    const starts = [...held.copies.values()].map((of) => given[own.indexOf(of)]!);
    const attributes = {
      ...node.attributes,
      body,
      states: own.length,
      resets: false,
      restart: own.map(() => 0),
      chunk: size,
    };
    const all = [...given, ...steps, ...statics, ...starts];
    return inside(b, { op: "scan", attributes, inputs: all, outputs: [], region: null }, all);
  });
}

/** The body of a scan within a chunk: the copies are statics, behind all others. */
export function withoutCopies(
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
