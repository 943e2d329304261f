/**
 * A scan over chunks, in whose body the tokens of one chunk are computed at once. Only the states at the starts of chunks
 * are kept; going back, the loop computes a chunk's inside again.
 */

import { GraphBuilder } from "../../ir/builder.js";
import type { Graph, ValueId } from "../../ir/graph.js";
import { type Axis, findAxis, withoutAxes } from "../../ir/types.js";
import { Handover } from "./handover.js";
import type { NoForm } from "./inside-chunk.js";

/** A recurrence of one chunk in a builder: its outputs along the axis, and the states behind it. */
export interface ChunkStep {
  readonly outputs: readonly ValueId[];
  readonly finals: readonly ValueId[];
}

/** What a scan takes. */
export interface ScanParts {
  readonly axis: string;
  readonly label: string;
  readonly size: number; // tokens a chunk
  readonly initial: readonly ValueId[];
  readonly sequences: readonly ValueId[]; // with the axis
  readonly statics: readonly ValueId[];
}

/** The form of one chunk of `size` tokens, its states, sequences and statics being values of the builder. */
export type OneChunk = (
  builder: GraphBuilder,
  size: number,
  states: readonly ValueId[],
  sequences: readonly ValueId[],
  statics: readonly ValueId[],
) => ChunkStep | NoForm;

/**
 * `step` says of what types the new states and the outputs are. Where the last chunk is filled up, the states
 * behind it are those of tokens that are not there.
 */
export function perChunk(
  builder: GraphBuilder,
  { axis, label, size: asked, initial, sequences, statics }: ScanParts,
  step: Graph,
  form: OneChunk,
): ChunkStep | NoForm {
  const length = sequences.map((id) => findAxis(builder.type(id), axis)!.size)[0];
  if (length === undefined) return { reason: "its step uses nothing of the token" };
  const size = Math.min(asked, length);
  const count = Math.ceil(length / size);
  const chunk = (
    b: GraphBuilder,
    given: readonly ValueId[],
    steps: readonly ValueId[],
    rest: readonly ValueId[],
  ): ChunkStep | NoForm => {
    const made = form(b, size, given, steps, rest);
    if ("reason" in made) return made;
    const axesOf = (at: number) => step.values[step.outputs[at]!.value]!.type.axes;
    return {
      finals: made.finals.map((id, i) => b.conform(id, axesOf(i))),
      outputs: made.outputs.map((id, i) => {
        const [batch, ...others] = axesOf(initial.length + i);
        return b.conform(id, [batch!, { name: axis, size }, ...others]);
      }),
    };
  };
  if (count === 1) return chunk(builder, initial, sequences, statics);

  const body = new GraphBuilder(`${label} over chunks`);
  const given = initial.map((id, i) => body.input(`S${i}`, builder.type(id)));
  const hand = new Handover(builder, body, axis, (id) =>
    cutInChunks(builder, id, builder.type(initial[0]!).axes[0]!, axis, size, count, length),
  );
  const made = chunk(
    body,
    given,
    sequences.map((id) => hand.value(id)),
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
    states: initial.length,
    sequences: hand.sequences.length,
    resets: false,
    restart: initial.map(() => 0),
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
  return { outputs, finals: results.slice(outputs.length, outputs.length + initial.length) };
}

/**
 * [batch, axis, ..] → [batch, chunk, axis, ..]. The last token is repeated up to a whole chunk: what is computed of
 * it is real, as zeros might not be (1 / 0), and not used.
 */
function cutInChunks(
  builder: GraphBuilder,
  x: ValueId,
  batch: Axis,
  axis: string,
  size: number,
  count: number,
  length: number,
): ValueId {
  const rest = withoutAxes(builder.type(x).axes, [batch.name, axis]);
  const missing = size * count - length;
  const along = builder.conform(x, [batch, { name: axis, size: length }, ...rest]);
  const last = builder.sum(builder.slice(along, axis, length - 1, 1), [axis]);
  const whole =
    missing === 0
      ? along
      : builder.op("concat", { axis }, [
          along,
          builder.conform(last, [batch, { name: axis, size: missing }, ...rest]),
        ]);
  const outer = { name: "chunk", size: count };
  return builder.op("split", { axis, outer, inner: { name: axis, size } }, [whole]);
}
