/**
 * What a recurrence sends when its sequence is cut (recurrences.md §4): a shard is one affine map
 * S_out = 𝒜 S_in + 𝒰, and its size depends on the state and on the family, never on the length of the shard.
 *
 * 𝒰 has the axes of the state. 𝒜 is the shard's total decay, with the axes of the gate, or, where the step erases,
 * a matrix K × K for each head. Without a gate 𝒜 is 1, or 0 where a document begins: a number for each sequence.
 */

import { Analysis } from "../3-derive/forms/normal-form.js";
import { heldStates } from "../3-derive/forms/chunk-start.js";
import { tropicalStep } from "../3-derive/forms/tropical.js";
import type { GraphBuilder } from "../ir/builder.js";
import type { NodeOf, ValueId } from "../ir/graph.js";
import { type Axis, type TensorType, withoutAxes } from "../ir/types.js";

export interface AffineMap {
  readonly label: string; // the state's name
  /** The sequence it runs along: `time`, or the `slots` of a route. */
  readonly axis: string;
  /** Of 𝒰 and of 𝒜, for one sequence. */
  readonly state: readonly Axis[];
  readonly map: readonly Axis[];
}

/** A recurrence whose shards are no affine map of a fixed size: why, in words. */
export interface NoMap {
  readonly label: string;
  readonly reason: string;
}

/** Of a recurrence in normal form. */
export function mapOfRecurrence(
  { attributes, inputs }: NodeOf<"recurrence">,
  typeOf: (id: ValueId) => TensorType,
  packed: boolean,
): AffineMap {
  const { axis, key, gated, writes, erases, label } = attributes;
  const own = (id: ValueId): Axis[] => withoutAxes(typeOf(id).axes, ["batch", axis]);
  const state = own(inputs[0]!);
  const gate = gated ? own(inputs[3]!) : null;
  if (erases === 0) return { label, axis, state, map: gate ?? flag(packed) };
  const first = (gated ? 4 : 3) + 2 * writes;
  const maps = [...inputs.slice(first, first + 2 * erases).map(own), gate ?? []].flat();
  return { label, axis, state, map: matrix(state, key, maps) };
}

/** Of a recurrence that stays a scan: elementwise, rotated or max-plus states have a map as well. */
export function mapOfScan(
  builder: GraphBuilder,
  node: NodeOf<"scan">,
  inputs: readonly ValueId[],
  packed: boolean,
): AffineMap | NoMap {
  const { axis, label } = node.attributes;
  const own = (id: ValueId): Axis[] => withoutAxes(builder.type(id).axes, ["batch", axis]);
  const state = own(inputs[0]!);
  if (heldStates(builder, node, inputs) !== null)
    return { label, reason: "its step reads what the state was when its chunk began" };
  const form = new Analysis(builder, node, builder.type(inputs[0]!)).run(inputs);
  if (form.kind === "not affine") {
    const step = tropicalStep(builder, node, inputs);
    return step === null
      ? { label, reason: form.reason }
      : { label, axis, state, map: own(step.shift) };
  }
  const turn = form.turn === null ? [] : own(form.turn.angle);
  const gate = form.gate === null ? null : own(form.gate);
  if (form.erases.length > 0) {
    if (form.key.length === 0 || form.turn !== null)
      return { label, reason: form.obstacle?.reason ?? "it erases along no key" };
    const maps = [...form.erases.flatMap(({ a, b }) => [own(a), own(b)]), gate ?? []].flat();
    return { label, axis, state, map: matrix(state, form.key, maps) };
  }
  if (turn.length === 0) return { label, axis, state, map: gate ?? flag(packed) };
  // a decay for each pair and an angle for each pair: two numbers of the angle's axes
  return { label, axis, state, map: [...turn, { name: "decay and angle", size: 2 }] };
}

const flag = (packed: boolean): Axis[] => [{ name: "document", size: packed ? 1 : 0 }];

/** K × K for each of the axes that the erases have besides the key. */
function matrix(state: readonly Axis[], key: readonly string[], maps: readonly Axis[]): Axis[] {
  const named = new Set(maps.map(({ name }) => name));
  const keys = state.filter(({ name }) => key.includes(name));
  const heads = state.filter(({ name }) => !key.includes(name) && named.has(name));
  return [...heads, ...keys, ...keys.map(({ name, size }) => ({ name: `${name}'`, size }))];
}
