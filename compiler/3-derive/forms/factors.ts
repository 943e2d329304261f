/** Looks into how a value was made: factors of an outer product, logarithms of gates. */

import type { GraphBuilder } from "../../ir/builder.js";
import type { ValueId } from "../../ir/graph.js";
import { hasAxis } from "../../ir/types.js";
import { boundsOf } from "../../ir/bounds.js";

/** A product split in what has key axes (with all that has neither) and what has value axes. */
export interface OuterProduct {
  readonly key: ValueId;
  readonly value: ValueId;
}

/** Products of more factors (`w * w`, squared again and again) are not taken apart. */
const mostFactors = 64;

/** Splits a write into k and v; null when a factor has axes of both sides. */
export function factorWrite(
  builder: GraphBuilder,
  write: ValueId,
  key: readonly string[],
  value: readonly string[],
): OuterProduct | null {
  const has = (id: ValueId, names: readonly string[]): boolean =>
    names.some((name) => hasAxis(builder.type(id), name));
  let keySide: ValueId | null = null;
  let valueSide: ValueId | null = null;
  const times = (side: ValueId | null, factor: ValueId): ValueId =>
    side === null ? factor : builder.mul(side, factor);
  const work = [write];
  for (let factors = 0; work.length > 0; factors += 1) {
    if (factors > mostFactors) return null;
    const id = work.pop()!;
    const both = has(id, key) && has(id, value);
    if (!both) {
      if (has(id, value)) valueSide = times(valueSide, id);
      else keySide = times(keySide, id);
      continue;
    }
    const node = builder.producer(id);
    if (node?.op !== "map") return null;
    const { fn } = node.attributes;
    if (fn === "mul") work.push(node.inputs[1]!, node.inputs[0]!);
    else if (fn === "neg") work.push(node.inputs[0]!, builder.constant(-1));
    else if (fn === "div") work.push(builder.map("reciprocal", node.inputs[1]!), node.inputs[0]!);
    else return null;
  }
  return { key: keySide ?? builder.constant(1), value: valueSide ?? builder.constant(1) };
}

/**
 * Decays below e⁻⁸⁰ are as good as complete. No smaller logarithm is ever made, so that a gate of exactly 0
 * is no −∞, and sums of logarithms stay small enough for float32 to tell their differences.
 */
const completeDecay = -80;
const smallestGate = Math.exp(completeDecay);

/** log Λ of a gate that is not negative, without going through Λ where the way it was made allows it. */
export function logarithm(builder: GraphBuilder, gate: ValueId): ValueId {
  const constant = builder.constantOf(gate);
  if (constant !== undefined) return builder.constant(Math.max(Math.log(constant), completeDecay));
  const log = exactLogarithm(builder, gate, 0);
  return builder.map("maximum", log, builder.constant(completeDecay));
}

/** Longest product of gates that is taken apart. */
const deepestProduct = 8;

function exactLogarithm(builder: GraphBuilder, value: ValueId, depth: number): ValueId {
  const node = builder.producer(value);
  const direct = (): ValueId =>
    builder.map("log", builder.map("maximum", value, builder.constant(smallestGate)));
  const inner = (id: ValueId): ValueId => exactLogarithm(builder, id, depth + 1);
  if (node?.op === "expand" || node?.op === "rename")
    return builder.op(node.op, node.attributes as never, [inner(node.inputs[0]!)]);
  if (node?.op === "concat") return builder.op("concat", node.attributes, node.inputs.map(inner));
  if (node?.op !== "map" || depth > deepestProduct) return direct();
  const [x, y] = node.inputs as [ValueId, ValueId];
  const positive = (id: ValueId): boolean => boundsOf(builder, id).low >= 0;
  switch (node.attributes.fn) {
    case "exp":
      return x;
    case "sigmoid":
      return builder.neg(builder.map("softplus", builder.neg(x)));
    case "pow":
      return positive(x) ? builder.mul(y, inner(x)) : direct();
    case "mul":
      return positive(x) && positive(y) ? builder.add(inner(x), inner(y)) : direct();
    case "div":
      return positive(x) && positive(y) ? builder.sub(inner(x), inner(y)) : direct();
    default:
      return direct();
  }
}
