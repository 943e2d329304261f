/** What a gradient rule is, and the helpers rules share. */

import type { GraphBuilder } from "../builder.js";
import type { Node, NodeOf, ValueId } from "../graph.js";
import type { OpName } from "../ops.js";
import { type Axis, type TensorType, hasAxis } from "../types.js";

/** A cotangent; null means zero. It may lack axes of its value, along which it is then constant. */
export type Cotangent = ValueId | null;

/**
 * The vector-Jacobian product of an op: from the cotangents of its outputs to those of its inputs.
 * Called only when some output's cotangent is not null.
 */
export type GradientRule<Op extends OpName> = (
  builder: GraphBuilder,
  node: NodeOf<Op>,
  cotangents: readonly Cotangent[],
  backpropagate: Backpropagate,
) => readonly Cotangent[];

/** Reverse mode over nodes already in a builder; for rules of ops that hold a graph of their own. */
export type Backpropagate = (
  builder: GraphBuilder,
  nodes: readonly Node[],
  cotangents: Map<ValueId, ValueId>,
) => void;

/** Sums a cotangent of a value with axes `from` down to the axes `to`; axes it lacks count by their size. */
export function reduceTo(
  builder: GraphBuilder,
  d: ValueId,
  from: readonly Axis[],
  to: readonly Axis[],
): ValueId {
  const extra = from.filter((axis) => !to.some((other) => other.name === axis.name));
  const present = extra.filter((axis) => hasAxis(builder.type(d), axis.name));
  const absent = extra.filter((axis) => !hasAxis(builder.type(d), axis.name));
  const times = absent.reduce((product, axis) => product * axis.size, 1);
  const summed = builder.sum(
    d,
    present.map((axis) => axis.name),
  );
  return builder.mul(summed, builder.constant(times));
}

/** The cotangent with all axes of its value: for ops that move elements about. */
export function full(builder: GraphBuilder, d: ValueId, type: TensorType): ValueId {
  const missing = type.axes.some((axis) => !hasAxis(builder.type(d), axis.name));
  return missing ? builder.conform(d, type.axes) : d;
}
