/** The states before each step, from those behind it: the first state, then all but the last of them. */

import type { GraphBuilder } from "./builder.js";
import type { ValueId } from "./graph.js";

export function statesBefore(
  b: GraphBuilder,
  states: ValueId, // [.., axis, ..]
  initial: ValueId, // the same without the axis
  axis: string,
  reverse: boolean,
): ValueId {
  const { axes } = b.type(states);
  const length = b.size(states, axis);
  const first = b.conform(
    initial,
    axes.map((own) => (own.name === axis ? { name: axis, size: 1 } : own)),
  );
  if (length === 1) return first;
  const others = b.slice(states, axis, reverse ? 1 : 0, length - 1);
  return b.op("concat", { axis }, reverse ? [others, first] : [first, others]);
}
