/**
 * eˣ and what is made of it. Reduction x = n·ln 2 + r with |r| ≤ ½·ln 2 and the polynomial are those of
 * Cephes' expf (S. Moshier): eʳ − 1 = r + r²·P(r), relative error below 2⁻²³.
 */

import type { FunctionBuilder, Local } from "../assembler/assembler.js";
import { f32x4, i32x4, multiplyAdd, v128, type V128 } from "../assembler/instructions.js";
import { log1p } from "./logarithm.js";
import { clamp, copySign, float, int, polynomial } from "./polynomial.js";

export const expCoefficients = [
  1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1,
  5.0000001201e-1,
] as const;

/** ln 2 in two parts; the first has 9 bits, so n · high is exact. */
const ln2High = 0.693359375;
const ln2Low = -2.1219444e-4;

interface Reduced {
  /** n as an integer vector. */
  readonly n: Local<"v128">;
  /** eʳ − 1 */
  readonly minusOne: Local<"v128">;
}

function reduce(f: FunctionBuilder, x: V128): Reduced {
  const n = f.keep(f32x4.nearest(f32x4.mul(x, float(f, Math.LOG2E))));
  const high = multiplyAdd(n, float(f, -ln2High), x);
  const r = f.keep(multiplyAdd(n, float(f, -ln2Low), high));
  const p = polynomial(f, r, expCoefficients);
  return { n: f.keep(i32x4.fromF32(n)), minusOne: f.keep(multiplyAdd(f32x4.mul(r, r), p, r)) };
}

/** 2ⁿ for −126 ≤ n ≤ 127. */
const powerOfTwo = (f: FunctionBuilder, n: V128): V128 => i32x4.shl(i32x4.add(n, int(f, 127)), 23);

/** x · 2ⁿ for |n| ≤ 252, in two steps so that it overflows to ∞ and underflows through the denormals. */
export function scale(f: FunctionBuilder, x: V128, n: V128): V128 {
  const half = f.keep(i32x4.shrS(n, 1));
  const rest = i32x4.sub(n, half);
  return f32x4.mul(f32x4.mul(x, powerOfTwo(f, half)), powerOfTwo(f, rest));
}

/** Beyond these eˣ is 0 and ∞. */
const expLimits = [-104, 89] as const;

export function exp(f: FunctionBuilder, x: V128): V128 {
  const { n, minusOne } = reduce(f, f.keep(clamp(f, x, ...expLimits)));
  return scale(f, f.keep(f32x4.add(minusOne, float(f, 1))), n);
}

/**
 * eˣ − 1 = 2·(2ⁿ⁻¹·(eʳ − 1) + (2ⁿ⁻¹ − ½)): no cancellation since |eʳ − 1| < ½, and n − 1 ≤ 127 so that only
 * the last doubling can overflow. Below −40 the result is −1 in float32.
 */
export function expm1(f: FunctionBuilder, x: V128): V128 {
  const { n, minusOne } = reduce(f, f.keep(clamp(f, x, -40, 89)));
  const power = f.keep(i32x4.shl(i32x4.add(n, int(f, 126)), 23));
  const half = f.keep(multiplyAdd(power, minusOne, f32x4.sub(power, float(f, 0.5))));
  return f32x4.add(half, half);
}

/** With e = e^−|x|: 1/(1 + e) for x ≥ 0, e/(1 + e) below. */
export function sigmoid(f: FunctionBuilder, x: V128): V128 {
  const e = f.keep(exp(f, f.keep(f32x4.neg(f32x4.abs(x)))));
  const numerator = v128.bitselect(e, float(f, 1), f32x4.lt(x, float(f, 0)));
  return f32x4.div(numerator, f32x4.add(e, float(f, 1)));
}

/** max(x, 0) + log1p(e^−|x|) */
export function softplus(f: FunctionBuilder, x: V128): V128 {
  const e = f.keep(exp(f, f.keep(f32x4.neg(f32x4.abs(x)))));
  return f32x4.add(f32x4.pmax(x, float(f, 0)), log1p(f, e));
}

/** With t = e^−2|x| − 1: |tanh x| = −t/(t + 2), exact near 0. */
export function tanh(f: FunctionBuilder, x: V128): V128 {
  const t = f.keep(expm1(f, f.keep(f32x4.mul(f32x4.abs(x), float(f, -2)))));
  return copySign(f, f32x4.div(t, f32x4.add(t, float(f, 2))), x);
}
