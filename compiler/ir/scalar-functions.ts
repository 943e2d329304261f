/** The elementwise functions: the one table that checker, gradients, interpreter and targets share. */

export interface ScalarFunctionInfo {
  readonly arity: 1 | 2 | 3;
  readonly doc: string;
  /** The definition, in float64: what the interpreter computes and what constants are folded by. */
  readonly evaluate: (a: number, b: number, c: number) => number;
}

export const scalarFunctions = {
  neg: { arity: 1, doc: "−x", evaluate: (x) => -x },
  exp: { arity: 1, doc: "eˣ", evaluate: Math.exp },
  expm1: { arity: 1, doc: "eˣ − 1, exact near 0", evaluate: Math.expm1 },
  log: { arity: 1, doc: "natural logarithm", evaluate: Math.log },
  log1p: { arity: 1, doc: "log(1 + x), exact near 0", evaluate: Math.log1p },
  sigmoid: {
    arity: 1,
    doc: "1 / (1 + e⁻ˣ)",
    evaluate: (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
  },
  softplus: {
    arity: 1,
    doc: "log(1 + eˣ), without overflow",
    evaluate: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  },
  tanh: { arity: 1, doc: "hyperbolic tangent", evaluate: Math.tanh },
  sqrt: { arity: 1, doc: "√x", evaluate: Math.sqrt },
  rsqrt: { arity: 1, doc: "1 / √x", evaluate: (x) => 1 / Math.sqrt(x) },
  square: { arity: 1, doc: "x²", evaluate: (x) => x * x },
  reciprocal: { arity: 1, doc: "1 / x", evaluate: (x) => 1 / x },
  abs: { arity: 1, doc: "|x|", evaluate: Math.abs },
  sign: { arity: 1, doc: "−1, 0 or 1", evaluate: Math.sign },
  floor: { arity: 1, doc: "largest integer ≤ x", evaluate: Math.floor },
  sin: { arity: 1, doc: "sine", evaluate: Math.sin },
  cos: { arity: 1, doc: "cosine", evaluate: Math.cos },
  stop: { arity: 1, doc: "x, with no gradient", evaluate: (x) => x },
  to_int: { arity: 1, doc: "x as an index (x must be whole)", evaluate: Math.floor },
  add: { arity: 2, doc: "a + b", evaluate: (a, b) => a + b },
  sub: { arity: 2, doc: "a − b", evaluate: (a, b) => a - b },
  mul: { arity: 2, doc: "a · b", evaluate: (a, b) => a * b },
  div: { arity: 2, doc: "a / b", evaluate: (a, b) => a / b },
  pow: { arity: 2, doc: "aᵇ", evaluate: (a, b) => a ** b },
  maximum: {
    arity: 2,
    doc: "the larger; ties give the gradient to a",
    evaluate: (a, b) => (a >= b ? a : b),
  },
  minimum: {
    arity: 2,
    doc: "the smaller; ties give the gradient to a",
    evaluate: (a, b) => (a <= b ? a : b),
  },
  mod: { arity: 2, doc: "a − b·floor(a / b)", evaluate: (a, b) => a - b * Math.floor(a / b) },
  lt: { arity: 2, doc: "1 where a < b, else 0", evaluate: (a, b) => Number(a < b) },
  le: { arity: 2, doc: "1 where a ≤ b, else 0", evaluate: (a, b) => Number(a <= b) },
  gt: { arity: 2, doc: "1 where a > b, else 0", evaluate: (a, b) => Number(a > b) },
  ge: { arity: 2, doc: "1 where a ≥ b, else 0", evaluate: (a, b) => Number(a >= b) },
  eq: { arity: 2, doc: "1 where a = b, else 0", evaluate: (a, b) => Number(a === b) },
  ne: { arity: 2, doc: "1 where a ≠ b, else 0", evaluate: (a, b) => Number(a !== b) },
  select: {
    arity: 3,
    doc: "a where c ≠ 0, else b; inputs c, a, b",
    evaluate: (c, a, b) => (c !== 0 ? a : b),
  },
} as const satisfies Record<string, ScalarFunctionInfo>;

export type ScalarFunction = keyof typeof scalarFunctions;
