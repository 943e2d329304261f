/** Gradients of the elementwise functions: the partial derivatives, written in the functions themselves. */

import type { GraphBuilder } from "../builder.js";
import type { NodeOf, ValueId } from "../graph.js";
import type { ScalarFunction } from "../scalar-functions.js";
import { type Cotangent, type GradientRule, reduceTo } from "./rule.js";

interface Point {
  readonly b: GraphBuilder;
  readonly d: ValueId; // cotangent of y
  readonly y: ValueId; // the function's value
  readonly x: readonly [ValueId, ValueId, ValueId]; // its operands, as many as it has
}

type Partials = (point: Point) => readonly Cotangent[];

const none: Partials = () => [null, null, null];
const one = (b: GraphBuilder): ValueId => b.constant(1);

const partials: Readonly<Record<ScalarFunction, Partials>> = {
  neg: ({ b, d }) => [b.neg(d)],
  exp: ({ b, d, y }) => [b.mul(d, y)],
  expm1: ({ b, d, y }) => [b.mul(d, b.add(y, one(b)))],
  log: ({ b, d, x }) => [b.div(d, x[0])],
  log1p: ({ b, d, x }) => [b.div(d, b.add(x[0], one(b)))],
  sigmoid: ({ b, d, y }) => [b.mul(d, b.mul(y, b.sub(one(b), y)))],
  softplus: ({ b, d, x }) => [b.mul(d, b.map("sigmoid", x[0]))],
  tanh: ({ b, d, y }) => [b.mul(d, b.sub(one(b), b.map("square", y)))],
  sqrt: ({ b, d, y }) => [b.div(b.mul(d, b.constant(0.5)), y)],
  // (x^-½)' = -½ y / x = -½ y³
  rsqrt: ({ b, d, y }) => [b.mul(b.mul(d, b.constant(-0.5)), b.mul(y, b.map("square", y)))],
  square: ({ b, d, x }) => {
    const two = b.constant(2);
    // ½ x² has the derivative x
    if (b.constantOf(d) !== undefined) return [b.mul(b.mul(d, two), x[0])];
    return [b.mul(d, b.mul(two, x[0]))];
  },
  reciprocal: ({ b, d, y }) => [b.neg(b.mul(d, b.map("square", y)))],
  abs: ({ b, d, x }) => [b.mul(d, b.map("sign", x[0]))],
  sign: none,
  floor: none,
  sin: ({ b, d, x }) => [b.mul(d, b.map("cos", x[0]))],
  cos: ({ b, d, x }) => [b.neg(b.mul(d, b.map("sin", x[0])))],
  stop: none,
  to_int: none,
  add: ({ d }) => [d, d],
  sub: ({ b, d }) => [d, b.neg(d)],
  mul: ({ b, d, x }) => [b.mul(d, x[1]), b.mul(d, x[0])],
  div: ({ b, d, x, y }) => {
    const scaled = b.div(d, x[1]);
    return [scaled, b.neg(b.mul(scaled, y))];
  },
  pow: ({ b, d, x, y }) => {
    const exponent = b.constantOf(x[1]);
    const power = b.map("pow", x[0], b.sub(x[1], one(b)));
    const base = b.mul(d, b.mul(x[1], power));
    if (exponent !== undefined) return [base, null];
    // ∂/∂e bᵉ = bᵉ log b, and 0 where the base is 0
    const positive = b.map("gt", x[0], b.constant(0));
    const log = b.map(
      "select",
      positive,
      b.map("log", b.map("select", positive, x[0], one(b))),
      b.constant(0),
    );
    return [b.constantOf(x[0]) === undefined ? base : null, b.mul(d, b.mul(y, log))];
  },
  maximum: ({ b, d, x }) => {
    const first = b.map("ge", x[0], x[1]);
    return [b.mul(d, first), b.mul(d, b.sub(one(b), first))];
  },
  minimum: ({ b, d, x }) => {
    const first = b.map("le", x[0], x[1]);
    return [b.mul(d, first), b.mul(d, b.sub(one(b), first))];
  },
  mod: ({ b, d, x }) => [d, b.neg(b.mul(d, b.map("floor", b.div(x[0], x[1]))))],
  lt: none,
  le: none,
  gt: none,
  ge: none,
  eq: none,
  ne: none,
  select: ({ b, d, x }) => {
    const zero = b.constant(0);
    return [null, b.map("select", x[0], d, zero), b.map("select", x[0], zero, d)];
  },
};

export const mapGradient: GradientRule<"map"> = (b, node: NodeOf<"map">, [d]) => {
  const y = node.outputs[0]!;
  const x = node.inputs as unknown as readonly [ValueId, ValueId, ValueId];
  const outer = b.type(y).axes;
  return partials[node.attributes.fn]({ b, d: d!, y, x })
    .slice(0, node.inputs.length)
    .map((partial, i) =>
      partial === null || b.constantOf(x[i]!) !== undefined
        ? null
        : reduceTo(b, partial, outer, b.type(x[i]!).axes),
    );
};
