/**
 * eˣ and what is made of it. Reduction x = n·ln 2 + r with |r| ≤ ½·ln 2 and the polynomial are those of
 * Cephes' expf (S. Moshier): eʳ − 1 = r + r²·P(r), relative error below 2⁻²³.
 */

import type { FunctionBuilder, Local } from "../assembler/assembler.js";
import { f32x4, i32x4, multiplyAdd, v128, type V128 } from "../assembler/instructions.js";
import { clamp, copySign, float, int, polynomial } from "./polynomial.js";

export const expCoefficients = [
  1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1,
  5.0000001201e-1,
] as const;

/** ln 2 in two parts; the first has 9 bits, so n · high is exact. */
const ln2High = 0.693359375;
const ln2Low = -2.1219444e-4;

/**
 * 1.5·2²³: adding it rounds a float of moderate size to the nearest integer, which is then in the low bits.
 * Two instructions where rounding and converting, as WebAssembly defines them, take eight on x86.
 */
export const shifter = 12582912;
const shifterBits = 0x4b400000;

interface Reduced {
  /** The bits of n + 1.5·2²³. */
  readonly shifted: Local<"v128">;
  /** eʳ − 1 */
  readonly minusOne: Local<"v128">;
}

function reduce(f: FunctionBuilder, x: V128): Reduced {
  const shifted = f.keep(multiplyAdd(x, float(f, Math.LOG2E), float(f, shifter)));
  const n = f.keep(f32x4.sub(shifted, float(f, shifter)));
  const high = multiplyAdd(n, float(f, -ln2High), x);
  const r = f.keep(multiplyAdd(n, float(f, -ln2Low), high));
  const p = polynomial(f, r, expCoefficients);
  return { shifted, minusOne: f.keep(multiplyAdd(f32x4.mul(r, r), p, r)) };
}

/** x · 2ⁿ for |n| ≤ 252 given as n + shifter, in two steps so that it overflows to ∞ and underflows through the denormals. */
export function scale(f: FunctionBuilder, x: V128, shifted: V128): V128 {
  const doubleBias = f.keep(i32x4.sub(shifted, int(f, shifterBits - 254)));
  const half = f.keep(i32x4.shrS(doubleBias, 1));
  const rest = i32x4.sub(doubleBias, half);
  return f32x4.mul(f32x4.mul(x, i32x4.shl(half, 23)), i32x4.shl(rest, 23));
}

/** Beyond these eˣ is 0 and ∞. */
const expLimits = [-104, 89] as const;

export function exp(f: FunctionBuilder, x: V128): V128 {
  const { shifted, minusOne } = reduce(f, f.keep(clamp(f, x, ...expLimits)));
  return scale(f, f.keep(f32x4.add(minusOne, float(f, 1))), shifted);
}

/** ln 2⁻¹²⁶: below it floats are denormal. */
const lowestNormal = -87.33654;

/** e^−|x|. One scaling does; what would be denormal becomes 0. */
function expOfNegative(f: FunctionBuilder, x: V128): V128 {
  const negative = f.keep(v128.or(x, int(f, -0x80000000)));
  const limited = f.keep(f32x4.pmax(negative, float(f, lowestNormal)));
  const { shifted, minusOne } = reduce(f, limited);
  const power = i32x4.shl(i32x4.add(shifted, int(f, 127)), 23);
  const value = f32x4.mul(f32x4.add(minusOne, float(f, 1)), power);
  return v128.andNot(value, f32x4.lt(negative, float(f, lowestNormal)));
}

/**
 * eˣ − 1 = 2·(2ⁿ⁻¹·(eʳ − 1) + (2ⁿ⁻¹ − ½)): no cancellation since |eʳ − 1| < ½, and n − 1 ≤ 127 so that only
 * the last doubling can overflow. Below −40 the result is −1 in float32.
 */
export function expm1(f: FunctionBuilder, x: V128): V128 {
  const { shifted, minusOne } = reduce(f, f.keep(clamp(f, x, -40, 89)));
  const power = f.keep(i32x4.shl(i32x4.add(shifted, int(f, 126)), 23)); // the shifter's own bits fall out
  const half = f.keep(multiplyAdd(power, minusOne, f32x4.sub(power, float(f, 0.5))));
  return f32x4.add(half, half);
}

/** With e = e^−|x|: 1/(1 + e) for x ≥ 0, e/(1 + e) below. */
export function sigmoid(f: FunctionBuilder, x: V128): V128 {
  const e = f.keep(expOfNegative(f, x));
  const numerator = v128.bitselect(e, float(f, 1), f32x4.lt(x, float(f, 0)));
  return f32x4.div(numerator, f32x4.add(e, float(f, 1)));
}

/** 2/3, 2/5, … 2/17: the series of 2·atanh s = 2s + s³·Q(s²) after its first term. */
const atanhCoefficients = [17, 15, 13, 11, 9, 7, 5, 3].map((n) => 2 / n);

/** max(x, 0) + log(1 + e), e = e^−|x|, by log(1 + e) = 2·atanh s with s = e/(2 + e) ≤ ⅓: exact for small e. */
export function softplus(f: FunctionBuilder, x: V128): V128 {
  const e = f.keep(expOfNegative(f, x));
  const s = f.keep(f32x4.div(e, f32x4.add(e, float(f, 2))));
  const square = f.keep(f32x4.mul(s, s));
  const series = f32x4.mul(polynomial(f, square, atanhCoefficients), f32x4.mul(square, s));
  return f32x4.add(f32x4.pmax(x, float(f, 0)), f32x4.add(f32x4.add(s, s), series));
}

/** With t = e^−2|x| − 1: |tanh x| = −t/(t + 2), exact near 0. */
export function tanh(f: FunctionBuilder, x: V128): V128 {
  const t = f.keep(expm1(f, f.keep(f32x4.mul(f32x4.abs(x), float(f, -2)))));
  return copySign(f, f32x4.div(t, f32x4.add(t, float(f, 2))), x);
}
