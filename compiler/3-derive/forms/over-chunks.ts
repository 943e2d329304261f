/** The states at the starts of chunks: a scan over chunks, S ← D ∘ S + X + Σ Â (W S). */

import { GraphBuilder } from "../../ir/builder.js";
import type { ValueId } from "../../ir/graph.js";
import { type Axis, withoutAxes } from "../../ir/types.js";
import type { Layout } from "./layout.js";

/** An erase seen from a chunk's end: Â [.., chunk, step, key], W [.., chunk, step, key]. */
export interface ChunkErase {
  readonly a: ValueId;
  readonly w: ValueId;
}

export function overChunks(
  { builder, count }: Layout,
  initial: ValueId,
  decay: ValueId | null, // D [.., chunk, gate axes]
  added: ValueId | null, // X [.., chunk, state axes]
  erases: readonly ChunkErase[],
  key: readonly string[],
  label: string,
): { readonly before: ValueId; readonly final: ValueId } {
  const state = builder.type(initial);
  const chunk: Axis = { name: "chunk", size: count };
  const batch = state.axes[0]!;
  const body = new GraphBuilder(`${label} over chunks`);
  const s = body.input("S", state);
  const sequences: ValueId[] = [];
  /** Hands a sequence over chunks to the body; gives one chunk's part. */
  const step = (x: ValueId, name: string): ValueId => {
    const rest = withoutAxes(builder.type(x).axes, ["batch", "chunk"]);
    sequences.push(builder.conform(x, [batch, chunk, ...rest]));
    return body.input(name, { dtype: "float", axes: [batch, ...rest] });
  };
  const d = step(decay ?? builder.constant(1), "D");
  let next = body.mul(d, s);
  if (added !== null) next = body.add(next, step(added, "X"));
  erases.forEach(({ a, w }, i) => {
    const read = body.dot(step(w, `W${i}`), s, key);
    next = body.add(next, body.dot(step(a, `A${i}`), read, ["step"]));
  });
  body.outputs.push({ name: "S", value: body.conform(next, state.axes) });
  const attributes = {
    axis: "chunk",
    body: body.finish(),
    states: 1,
    sequences: sequences.length,
    resets: false,
    restart: [0],
    reverse: false,
    label: `${label} over chunks`,
    chunk: null,
  };
  const [final, before] = builder.ops("scan", attributes, [initial, ...sequences]);
  return { before: before!, final: final! };
}

/** The same for a sequence of one chunk, which needs no loop. */
export const oneChunk: typeof overChunks = ({ builder }, initial, decay, added, erases, key) => {
  const { axes } = builder.type(initial);
  const [batch, ...rest] = axes;
  const only = (x: ValueId): ValueId => builder.sum(x, ["chunk"]);
  const before = builder.conform(initial, [batch!, { name: "chunk", size: 1 }, ...rest]);
  let final = decay === null ? initial : builder.mul(only(decay), initial);
  if (added !== null) final = builder.add(final, only(added));
  for (const { a, w } of erases) {
    const read = builder.dot(only(w), initial, key);
    final = builder.add(final, builder.dot(only(a), read, ["step"]));
  }
  return { before, final: builder.conform(final, axes) };
};
