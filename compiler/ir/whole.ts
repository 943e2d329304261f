/**
 * Ops that name all axes of their result, applied where values have more axes around those: one token's
 * value is `[heads] → [heads, key]`, a batch of sequences `[batch, time, heads] → [batch, time, heads, key]`.
 */

import type { GraphBuilder } from "./builder.js";
import type { NodeOf, ValueId } from "./graph.js";
import { sameAxes, unionAxes, withoutAxes } from "./types.js";

/** A token's value repeated along axes of its own, whatever it has around them. */
export function expandWhole(builder: GraphBuilder, node: NodeOf<"expand">, x: ValueId): ValueId {
  const { axes } = node.attributes;
  const around = withoutAxes(
    builder.type(x).axes,
    axes.map(({ name }) => name),
  );
  return builder.conform(x, [...around, ...axes]);
}

/** Tensors joined along an axis; those that are the same for all tokens are repeated beside others. */
export function concatWhole(
  builder: GraphBuilder,
  node: NodeOf<"concat">,
  inputs: readonly ValueId[],
): ValueId {
  const { axis } = node.attributes;
  const around = inputs.map((id) => withoutAxes(builder.type(id).axes, [axis]));
  if (around.every((axes) => sameAxes(axes, around[0]!)))
    return builder.op("concat", { axis }, inputs);
  const rest = unionAxes(around);
  const whole = inputs.map((id) =>
    builder.conform(id, [...rest, { name: axis, size: builder.size(id, axis) }]),
  );
  return builder.op("concat", { axis }, whole);
}
