/** Looks into how a value was made: factors of an outer product, logarithms of gates. */

import type { GraphBuilder } from "../../ir/builder.js";
import type { NodeOf, ValueId } from "../../ir/graph.js";
import { hasAxis } from "../../ir/types.js";
import { boundsOf } from "../../ir/bounds.js";

/** A product split in what has key axes (with all that has neither) and what has value axes. */
export interface OuterProduct {
  readonly key: ValueId;
  readonly value: ValueId;
}

/** Products of more factors (`w * w`, squared again and again) are not taken apart. */
const mostFactors = 64;

/** Sums of more products along an axis (`dot(k, v, rank)`) are not taken apart either. */
const mostProducts = 8;

/** Splits a write into products k vᵀ that add up to it; null when a factor has axes of both sides. */
export function factorWrite(
  builder: GraphBuilder,
  write: ValueId,
  key: readonly string[],
  value: readonly string[],
): readonly OuterProduct[] | null {
  const has = (id: ValueId, names: readonly string[]): boolean =>
    names.some((name) => hasAxis(builder.type(id), name));
  const times = (side: ValueId | null, factor: ValueId): ValueId =>
    side === null ? factor : builder.mul(side, factor);
  let factors = 0;
  const split = (
    work: ValueId[],
    keySide: ValueId | null,
    valueSide: ValueId | null,
  ): readonly OuterProduct[] | null => {
    while (work.length > 0) {
      if ((factors += 1) > mostFactors) return null;
      const id = work.pop()!;
      const both = has(id, key) && has(id, value);
      if (!both) {
        if (has(id, value)) valueSide = times(valueSide, id);
        else keySide = times(keySide, id);
        continue;
      }
      const node = builder.producer(id);
      if (node?.op === "dot") {
        const products = productsOf(builder, node);
        const each = products.map((pair) => split([...work, ...pair], keySide, valueSide));
        return products.length > 0 && each.every((one) => one !== null) ? each.flat() : null;
      }
      if (node?.op !== "map") return null;
      const { fn } = node.attributes;
      if (fn === "mul") work.push(node.inputs[1]!, node.inputs[0]!);
      else if (fn === "neg") work.push(node.inputs[0]!, builder.constant(-1));
      else if (fn === "div") work.push(builder.map("reciprocal", node.inputs[1]!), node.inputs[0]!);
      else return null;
    }
    return [{ key: keySide ?? builder.constant(1), value: valueSide ?? builder.constant(1) }];
  };
  return split([write], null, null);
}

/** The products that a short dot along one axis adds up, as a state of several inputs is written (Mamba-3). */
function productsOf(
  builder: GraphBuilder,
  { attributes: { over }, inputs: [a, b] }: NodeOf<"dot">,
): readonly (readonly [ValueId, ValueId])[] {
  const [axis] = over;
  if (over.length !== 1 || builder.size(a!, axis!) > mostProducts) return [];
  const at = (x: ValueId, i: number): ValueId =>
    builder.sum(builder.slice(x, axis!, i, 1), [axis!]);
  return Array.from({ length: builder.size(a!, axis!) }, (_, i) => [at(a!, i), at(b!, i)]);
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
    case "select":
      return builder.map("select", x, inner(y), inner(node.inputs[2]!));
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
