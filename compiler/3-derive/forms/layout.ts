/** How a sequence lies in chunks: [.., chunk, step, ..]. */

import type { GraphBuilder } from "../../ir/builder.js";
import type { ValueId } from "../../ir/graph.js";
import { type TensorType, hasAxis } from "../../ir/types.js";

export interface Layout {
  readonly builder: GraphBuilder;
  readonly axis: string;
  readonly chunk: number;
  readonly count: number;
  readonly length: number;
}

/** x with all of `names`, repeated along those it lacks: a sum over an axis must count what is constant there. */
export function covering(
  builder: GraphBuilder,
  x: ValueId,
  names: readonly string[],
  state: TensorType,
): ValueId {
  const { axes } = builder.type(x);
  const missing = state.axes.filter(
    ({ name }) => names.includes(name) && !axes.some((axis) => axis.name === name),
  );
  return missing.length === 0 ? x : builder.conform(x, [...axes, ...missing]);
}

/** [.., axis, ..] → [.., chunk, step, ..], zeros at the end; what lacks the axis is repeated along it. */
export function toChunks({ builder, axis, chunk, count, length }: Layout, x: ValueId): ValueId {
  const along = hasAxis(builder.type(x), axis)
    ? x
    : builder.conform(x, [{ name: axis, size: length }, ...builder.type(x).axes]);
  const padded = builder.pad(along, axis, 0, chunk * count - length);
  return builder.op(
    "split",
    { axis, outer: { name: "chunk", size: count }, inner: { name: "step", size: chunk } },
    [padded],
  );
}

/** [.., chunk, step, ..] → [.., axis, ..] without the padding. */
export function fromChunks({ builder, axis, length }: Layout, x: ValueId): ValueId {
  const merged = builder.op("merge", { outer: "chunk", inner: "step", into: axis }, [x]);
  return builder.slice(merged, axis, 0, length);
}
