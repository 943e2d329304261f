/**
 * The form of a state that is changed elementwise and read by contractions (family F5, and rotated ones that have no chunk
 * form): a scan over chunks, with one `linear_scan` in each.
 *
 * The state is many times as large as what is read of it, Mamba-1's n times. Over the whole sequence it would lie in memory for
 * every token, with its gate and its writes; so it does for the tokens of one chunk. Going back, the loop computes a chunk's
 * states again from the state at its start.
 */

import type { GraphBuilder } from "../../ir/builder.js";
import type { NodeOf, ValueId } from "../../ir/graph.js";
import { elementCount, findAxis } from "../../ir/types.js";
import { linearForm } from "./linear-form.js";
import { Analysis } from "./normal-form.js";
import { type ChunkStep, perChunk } from "./per-chunk.js";
import { inFrame, turningFrame } from "./turn.js";

/** A state that is fewer times as large as what is read of it may lie in memory for all tokens. */
const leastSaving = 4;

/** The chunk that a scan with these reads runs in; null where the whole sequence is as good. */
export function linearChunk(
  { attributes: { body, states } }: NodeOf<"scan">,
  length: number,
  asked: number | null,
): number | null {
  const sizeOf = (at: number): number => elementCount(body.values[body.outputs[at]!.value]!.type);
  const reads = body.outputs.slice(states).map((_, i) => sizeOf(states + i));
  const read = reads.reduce((sum, size) => sum + size, 0);
  const chunk = asked ?? natural;
  if (reads.length === 0 || chunk >= length) return null;
  return asked !== null || sizeOf(0) >= leastSaving * read ? chunk : null;
}

const natural = 16;

/** Replaces a scan; null where its inside has no such form by what a chunk shows of it. */
export function linearInChunks(
  builder: GraphBuilder,
  node: NodeOf<"scan">,
  inputs: readonly ValueId[],
  size: number,
): ChunkStep | null {
  const { axis, label, body, resets, sequences } = node.attributes;
  const statics = 1 + (resets ? 1 : 0) + sequences;
  const parts = {
    axis,
    label,
    size,
    initial: inputs.slice(0, 1),
    sequences: inputs.slice(1, statics),
    statics: inputs.slice(statics),
  };
  const made = perChunk(builder, parts, body, (b, _, given, steps, rest) => {
    const all = [...given, ...steps, ...rest];
    const inner = { ...node, inputs: all, outputs: [] };
    const state = b.type(given[0]!);
    const form = new Analysis(b, inner, state).run(all);
    if (form.kind === "not affine") return form;
    const along = all.map((id) => findAxis(b.type(id), axis)).find((found) => found)!;
    const frame = form.turn === null ? null : turningFrame(b, form.turn, state, along);
    const framed = frame === null ? form : inFrame(b, form, state, frame);
    const results = linearForm(b, inner, all, framed, frame);
    const outputs = body.outputs.length - 1;
    return { outputs: results.slice(0, outputs), finals: [results[outputs]!] };
  });
  return "reason" in made ? null : made;
}
