/**
 * The universal chunk form (recurrences.md §2) of any recurrence with a normal form of families F0–F4:
 *
 *     U   = (I − tril(B̃ Ãᵀ, −1))⁻¹ (B̃ S₀ + tril(B̃ K̃ᵀ, −1) V)
 *     O   = Q̃ S₀ + tril(Q̃ K̃ᵀ) V + tril(Q̃ Ãᵀ) U
 *     S_C = G_C ∘ (S₀ + K̃ᵀ V + Ãᵀ U)
 *
 * One generator, whose parts are left out when a family lacks them. A read of the state before the step
 * uses G_{t−1} and the strict triangle. Sequence lengths that are no multiple of the chunk are padded with
 * Λ = 1 and no write. The states at chunk starts come from a scan over chunks.
 */

import type { GraphBuilder } from "../../ir/builder.js";
import type { NodeOf, ValueId } from "../../ir/graph.js";
import { axisNames, findAxis, hasAxis } from "../../ir/types.js";
import { Decay } from "./decay.js";
import { type Layout, fromChunks, toChunks } from "./layout.js";
import { oneChunk, overChunks } from "./over-chunks.js";
import { type Corrections, solveErases } from "./erases.js";
import { type OuterProduct, factorWrite } from "./factors.js";
import { covering } from "./layout.js";
import type { NormalForm } from "./normal-form.js";
import type { Family } from "./report.js";

export interface ChunkPlan {
  readonly family: Family;
  readonly chunk: number;
  readonly writes: readonly OuterProduct[];
}

/** Which of the state's axes are keys and which values, and what of them the gate has. */
interface Roles {
  readonly value: readonly string[];
  readonly gateOnKey: boolean;
  readonly gateOnValue: boolean;
}

function rolesOf(builder: GraphBuilder, form: NormalForm, state: ValueId): Roles {
  const stateAxes = axisNames(builder.type(state)).filter((name) => name !== "batch");
  const namesOf = (id: ValueId): string[] =>
    axisNames(builder.type(id)).filter((name) => stateAxes.includes(name));
  const keySide = new Set(form.key);
  if (form.obstacle === null)
    for (const { query } of form.reads) namesOf(query).forEach((name) => keySide.add(name));
  for (const { a, b } of form.erases)
    [a, b].forEach((id) => namesOf(id).forEach((name) => keySide.add(name)));
  const value = stateAxes.filter((name) => !keySide.has(name));
  const gate = form.gate === null ? [] : namesOf(form.gate);
  return {
    value,
    gateOnKey: gate.some((name) => form.key.includes(name)),
    gateOnValue: value.length > 0 && value.every((name) => gate.includes(name)),
  };
}

/** The family of a normal form (recurrences.md §1): the axes of the gate, and whether there are erases. */
export function familyOf(builder: GraphBuilder, form: NormalForm, state: ValueId): Family {
  const { gateOnKey, gateOnValue } = rolesOf(builder, form, state);
  if (form.erases.length > 0) return gateOnKey ? "F4" : "F3";
  if (form.gate === null) return "F0";
  const gate = builder.type(form.gate);
  const everywhere = axisNames(builder.type(state)).every(
    (name) => name === "batch" || hasAxis(gate, name),
  );
  if (everywhere) return "F5";
  return gateOnKey ? "F2" : gateOnValue && form.key.length > 0 ? "F2v" : "F1";
}

/** The chunk that a normal form runs in, and its writes as outer products; null when it has no chunk form. */
export function planChunk(
  builder: GraphBuilder,
  form: NormalForm,
  state: ValueId,
  length: number,
  asked: number | null,
): ChunkPlan | null {
  const { value, gateOnKey, gateOnValue } = rolesOf(builder, form, state);
  if (gateOnKey && gateOnValue) return null;
  // a state that is only keys is as small as what is written: a scan over it costs less than any product
  if (gateOnKey && value.length === 0 && form.erases.length === 0) return null;
  const writes = form.writes.map((write) => factorWrite(builder, write, form.key, value));
  if (writes.some((write) => write === null)) return null;
  const family = familyOf(builder, form, state);
  // Inside a chunk a token costs about chunk × key, between chunks key × value / chunk: a chunk as long as
  // the key balances them. Gates on an axis of their own make [chunk, chunk, axis] factors: small chunks.
  const keys = form.key.reduce((n, name) => n * builder.size(state, name), 1);
  const natural =
    gateOnKey || gateOnValue ? 16 : Math.max(16, Math.min(64, 2 ** Math.floor(Math.log2(keys))));
  const products = (writes as (readonly OuterProduct[])[]).flat().map(({ key, value: v }) => ({
    key: covering(builder, key, form.key, builder.type(state)),
    value: v,
  }));
  return { family, chunk: Math.min(asked ?? natural, length), writes: products };
}

/** Replaces a scan by its chunk form; gives its outputs, and null for the states before each step. */
export function chunkForm(
  builder: GraphBuilder,
  node: NodeOf<"scan">,
  inputs: readonly ValueId[],
  form: NormalForm,
  plan: ChunkPlan,
): { readonly outputs: readonly ValueId[]; readonly final: ValueId } {
  const { axis, resets } = node.attributes;
  const state = inputs[0]!;
  const length = lengthOf(builder, inputs, axis);
  const layout: Layout = {
    builder,
    axis,
    chunk: plan.chunk,
    count: Math.ceil(length / plan.chunk),
    length,
  };
  const decay = new Decay(layout, form.gate, resets ? inputs[1]! : null, form.key);
  const cut = (x: ValueId): ValueId => toChunks(layout, x);
  const erases = form.erases.map(({ a, b }) => ({ a: cut(a), b: cut(b) }));
  const writes = plan.writes.map(({ key, value }) => ({ key: cut(key), value: cut(value) }));
  const source = (x: ValueId): ValueId => builder.rename(x, { step: "source" });
  /** Σ_s M[t, s] V_s over the writes, M the decayed products of `query` with their keys. */
  const fromWrites = (query: ValueId, strict: boolean): ValueId | null => {
    const terms = writes.map(({ key, value }) =>
      builder.dot(decay.pairs(query, key, strict), source(value), ["source"]),
    );
    return terms.length === 0 ? null : terms.reduce(builder.add);
  };

  const { own, fromState } =
    erases.length > 0 ? solveErases(builder, decay, erases, fromWrites) : noErases;

  // S over chunks: S ← D ∘ S + X + Σ Âᵀ W S
  const ends = writes.map(({ key, value }) => decay.intoEnd(key, value));
  erases.forEach(({ a }, i) => {
    const u = own[i];
    if (typeof u === "number") ends.push(decay.intoEnd(a, u));
  });
  const stateType = builder.type(state);
  const added = ends.length === 0 ? null : ends.reduce(builder.add);
  const rereads = erases.map(({ a }, i) => ({ a: decay.toEnd(a), w: fromState[i]! }));
  // what starts nowhere anew is a part of a sequence, and in the loop that runs over its parts
  const statesAt = layout.count === 1 && !resets ? oneChunk : overChunks;
  const starts = statesAt(
    layout,
    state,
    decay.whole(),
    added,
    rereads,
    form.key,
    node.attributes.label,
  );
  const erased = fromState.map((w, i) =>
    addTo(builder, own[i]!, builder.dot(w, starts.before, form.key)),
  );

  const outputs = form.reads.map(({ query, scale, plus, when }) => {
    const q = cut(query);
    const strict = when === "old";
    const terms = [builder.dot(decay.fromStart(q, strict), starts.before, form.key)];
    const own = fromWrites(q, strict);
    if (own !== null) terms.push(own);
    erases.forEach(({ a }, i) => {
      terms.push(builder.dot(decay.pairs(q, a, strict), source(erased[i]!), ["source"]));
    });
    let y = fromChunks(layout, terms.reduce(builder.add));
    if (scale !== null) y = builder.mul(y, scale);
    return plus === null ? y : builder.add(y, plus);
  });
  return { outputs, final: builder.conform(starts.final, stateType.axes) };
}

const noErases: Corrections = { own: [], fromState: [] };

const addTo = (builder: GraphBuilder, a: ValueId | null, b: ValueId): ValueId =>
  a === null ? b : builder.add(a, b);

function lengthOf(builder: GraphBuilder, inputs: readonly ValueId[], axis: string): number {
  return inputs
    .map((id) => findAxis(builder.type(id), axis)?.size)
    .find((size) => size !== undefined)!;
}
