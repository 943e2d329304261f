/** Looks into how a value was made: factors of an outer product, logarithms of gates. */

import type { GraphBuilder } from "../../ir/builder.js";
import type { Node, ValueId } from "../../ir/graph.js";
import { hasAxis } from "../../ir/types.js";

/** Finds producers in a builder's nodes; rebuilt when nodes were added. */
export class Producers {
  private readonly found = new Map<ValueId, Node>();
  private seen = 0;

  constructor(private readonly builder: GraphBuilder) {}

  of(id: ValueId): Node | undefined {
    for (; this.seen < this.builder.nodes.length; this.seen += 1) {
      const node = this.builder.nodes[this.seen]!;
      for (const output of node.outputs) this.found.set(output, node);
    }
    return this.found.get(id);
  }
}

/** A product split in what has key axes (with all that has neither) and what has value axes. */
export interface OuterProduct {
  readonly key: ValueId;
  readonly value: ValueId;
}

/** Splits a write into k and v; null when a factor has axes of both sides. */
export function factorWrite(
  builder: GraphBuilder,
  producers: Producers,
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
  while (work.length > 0) {
    const id = work.pop()!;
    const both = has(id, key) && has(id, value);
    if (!both) {
      if (has(id, value)) valueSide = times(valueSide, id);
      else keySide = times(keySide, id);
      continue;
    }
    const node = producers.of(id);
    if (node?.op !== "map") return null;
    const { fn } = node.attributes;
    if (fn === "mul") work.push(node.inputs[1]!, node.inputs[0]!);
    else if (fn === "neg") work.push(node.inputs[0]!, builder.constant(-1));
    else if (fn === "div") work.push(builder.map("reciprocal", node.inputs[1]!), node.inputs[0]!);
    else return null;
  }
  return { key: keySide ?? builder.constant(1), value: valueSide ?? builder.constant(1) };
}

/** log of a positive value, without going through the value where the way it was made allows it. */
export function logarithm(builder: GraphBuilder, producers: Producers, value: ValueId): ValueId {
  const constant = builder.constantOf(value);
  if (constant !== undefined) return builder.constant(Math.log(constant));
  const node = producers.of(value);
  if (node?.op === "expand" || node?.op === "rename") {
    const inner = logarithm(builder, producers, node.inputs[0]!);
    return builder.op(node.op, node.attributes as never, [inner]);
  }
  if (node?.op !== "map") return builder.map("log", value);
  const [x, y] = node.inputs as [ValueId, ValueId];
  switch (node.attributes.fn) {
    case "exp":
      return x;
    case "sigmoid":
      return builder.neg(builder.map("softplus", builder.neg(x)));
    case "pow":
      return builder.mul(y, logarithm(builder, producers, x));
    case "mul":
      return builder.add(logarithm(builder, producers, x), logarithm(builder, producers, y));
    case "div":
      return builder.sub(logarithm(builder, producers, x), logarithm(builder, producers, y));
    default:
      return builder.map("log", value);
  }
}
