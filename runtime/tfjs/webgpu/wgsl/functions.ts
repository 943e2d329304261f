/**
 * Every scalar function as WGSL, of the definitions in compiler/ir/scalar-functions.ts.
 *
 * A shader's own exp, sqrt and division have float32's precision. Its log loses digits near 1, its sin and cos
 * anywhere, and it has no expm1 and log1p: these are series here.
 */

import type { ScalarFunction } from "../../../../compiler/ir/scalar-functions.js";
import { fromBits } from "./shader.js";

const binary =
  (sign: string) =>
  (a: string, b: string): string =>
    `(${a} ${sign} ${b})`;
const condition =
  (sign: string) =>
  (a: string, b: string): string =>
    `select(0f, 1f, ${a} ${sign} ${b})`;
const call =
  (name: string) =>
  (...given: string[]): string =>
    `${name}(${given.join(", ")})`;

/** Arguments are names or literals, so they may be repeated. */
export const scalarFunctions: Readonly<
  Record<ScalarFunction, (a: string, b: string, c: string) => string>
> = {
  neg: (x) => `(-${x})`,
  exp: (x) => `exp(${x})`,
  expm1: (x) => `expm1_(${x})`,
  log: (x) => `log_(${x})`,
  log1p: (x) => `log1p_(${x})`,
  sigmoid: (x) => `sigmoid_(${x})`,
  softplus: (x) => `softplus_(${x})`,
  tanh: (x) => `tanh_(${x})`,
  sqrt: (x) => `sqrt(${x})`,
  rsqrt: (x) => `(1f / sqrt(${x}))`,
  square: (x) => `(${x} * ${x})`,
  reciprocal: (x) => `(1f / ${x})`,
  abs: (x) => `abs(${x})`,
  sign: (x) => `sign(${x})`,
  floor: (x) => `floor(${x})`,
  sin: (x) => `sine_(${x}, 0f)`,
  cos: (x) => `sine_(${x}, 0.5f)`,
  stop: (x) => x,
  to_int: (x) => `floor(${x})`,
  add: binary("+"),
  sub: binary("-"),
  mul: binary("*"),
  div: binary("/"),
  pow: (a, b) => call("pow_")(a, b),
  maximum: (a, b) => `select(${b}, ${a}, ${a} >= ${b})`,
  minimum: (a, b) => `select(${b}, ${a}, ${a} <= ${b})`,
  mod: (a, b) => `(${a} - ${b} * floor(${a} / ${b}))`,
  lt: condition("<"),
  le: condition("<="),
  gt: condition(">"),
  ge: condition(">="),
  eq: condition("=="),
  ne: condition("!="),
  select: (c, a, b) => `select(${b}, ${a}, ${c} != 0f)`,
};

interface Helper {
  readonly text: string;
  readonly needs: readonly string[];
}

const helpers: Readonly<Record<string, Helper>> = {
  fromBits: { text: fromBits, needs: [] },
  // Σ xⁿ/n! for |x| < 0.4, where exp(x) − 1 would cancel
  expm1_: {
    text: `fn expm1_(x: f32) -> f32 {
if (abs(x) >= 0.4f) { return exp(x) - 1f; }
return x * (1f + x / 2f * (1f + x / 3f * (1f + x / 4f * (1f + x / 5f * (1f + x / 6f * (1f + x / 7f * (1f + x / 8f)))))));
}`,
    needs: [],
  },
  // log(1 + x) = 2 artanh(x / (2 + x))
  log1p_: {
    text: `fn log1p_(x: f32) -> f32 {
if (abs(x) >= 0.4f) { return log(1f + x); }
let s = x / (2f + x);
let q = s * s;
return 2f * s * (1f + q * (1f / 3f + q * (1f / 5f + q * (1f / 7f + q * (1f / 9f + q / 11f)))));
}`,
    needs: [],
  },
  // x − 1 is exact there
  log_: {
    text: `fn log_(x: f32) -> f32 {
if (abs(x - 1f) < 0.4f) { return log1p_(x - 1f); }
return log(x);
}`,
    needs: ["log1p_"],
  },
  sigmoid_: {
    text: `fn sigmoid_(x: f32) -> f32 {
let e = exp(-abs(x));
return select(e, 1f, x >= 0f) / (1f + e);
}`,
    needs: [],
  },
  softplus_: {
    text: "fn softplus_(x: f32) -> f32 { return max(x, 0f) + log1p_(exp(-abs(x))); }",
    needs: ["log1p_"],
  },
  // with e = exp(2|x|) − 1: tanh|x| = e / (e + 2); at 10 it is 1
  tanh_: {
    text: `fn tanh_(x: f32) -> f32 {
let e = expm1_(2f * min(abs(x), 10f));
return sign(x) * (e / (e + 2f));
}`,
    needs: ["expm1_"],
  },
  // sin(x) and, with ahead = ½, cos(x) = sin(x + π/2): with k = ⌊x/π + ½ + ahead⌋ and r = x − (k − ahead) π,
  // (−1)ᵏ sin(r) for |r| ≤ π/2. π is taken off in three parts, so that the larger products are exact.
  sine_: {
    text: `fn sine_(x: f32, ahead: f32) -> f32 {
let k = floor(x / ${Math.fround(Math.PI)}f + 0.5f + ahead);
let turns = k - ahead;
let r = ((x - turns * 3.140625f) - turns * 0.000967502593994140625f) - turns * 0.0000001509957990978376f;
let q = r * r;
let series = 1f + q * (-1f / 6f + q * (1f / 120f + q * (-1f / 5040f + q * (1f / 362880f - q / 39916800f))));
return r * series * (1f - 2f * (k - 2f * floor(k / 2f)));
}`,
    needs: [],
  },
  // of negative numbers only whole powers are real; pow() itself takes positive ones
  pow_: {
    text: `fn pow_(a: f32, b: f32) -> f32 {
if (b == 0f) { return 1f; }
if (a == 0f) { return select(0f, fromBits(2139095040u), b < 0f); }
let p = pow(abs(a), b);
if (a > 0f) { return p; }
if (b != floor(b)) { return fromBits(2143289344u); }
return select(p, -p, b - 2f * floor(b / 2f) != 0f);
}`,
    needs: ["fromBits"],
  },
};

/** The helper functions that a shader's text calls. */
export function helpersFor(text: string): string {
  const wanted = new Set<string>();
  const add = (name: string): void => {
    if (wanted.has(name)) return;
    wanted.add(name);
    helpers[name]!.needs.forEach(add);
  };
  for (const name of Object.keys(helpers)) if (text.includes(`${name}(`)) add(name);
  return [...wanted].map((name) => helpers[name]!.text).join("\n");
}
