/**
 * log x by x = 2ᵉ·m with m in [√½, √2), and Cephes' logf polynomial (S. Moshier):
 * log m = y − y²/2 + y³·P(y), y = m − 1.
 */

import type { FunctionBuilder } from "../assembler/assembler.js";
import { f32x4, i32x4, multiplyAdd, v128, type V128 } from "../assembler/instructions.js";
import { float, int, polynomial } from "./polynomial.js";

const coefficients = [
  7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1,
  -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
] as const;

/** Bits of √½, and the distance from there to 1. */
const sqrtHalf = 0x3f3504f3;
const toOne = 0x3f800000 - sqrtHalf;

export interface Split {
  /** m in [√½, √2) */
  readonly mantissa: V128;
  /** e as an integer vector; x = 2ᵉ·m. */
  readonly exponent: V128;
}

/** Splits a positive x, denormals included. */
export function split(f: FunctionBuilder, x: V128): Split {
  const denormal = f.keep(f32x4.lt(x, float(f, 2 ** -126)));
  const normal = v128.bitselect(f32x4.mul(x, float(f, 2 ** 23)), x, denormal);
  const bits = f.keep(i32x4.add(normal, int(f, toOne)));
  const correction = v128.and(denormal, int(f, -23));
  return {
    mantissa: f.keep(i32x4.add(v128.and(bits, int(f, 0x7fffff)), int(f, sqrtHalf))),
    exponent: f.keep(i32x4.add(i32x4.add(i32x4.shrS(bits, 23), int(f, -127)), correction)),
  };
}

/** The value at 0, ∞, NaN and below 0, for any function that goes to −∞, ∞ as log does. */
export function withLogLimits(f: FunctionBuilder, x: V128, y: V128): V128 {
  // ∞ and NaN themselves; below 0 all bits set, which is NaN.
  const finite = f32x4.lt(x, float(f, Infinity));
  const upper = v128.bitselect(y, x, finite);
  const zero = v128.bitselect(float(f, -Infinity), upper, f32x4.eq(x, float(f, 0)));
  return v128.or(zero, f32x4.lt(x, float(f, 0)));
}

export function log(f: FunctionBuilder, x: V128): V128 {
  const { mantissa, exponent } = split(f, x);
  const y = f.keep(f32x4.sub(mantissa, float(f, 1)));
  const e = f.keep(f32x4.fromI32(exponent));
  const square = f.keep(f32x4.mul(y, y));
  const cubic = f32x4.mul(polynomial(f, y, coefficients), f32x4.mul(square, y));
  const low = multiplyAdd(e, float(f, -2.1219444e-4), cubic);
  const tail = multiplyAdd(square, float(f, -0.5), low);
  return withLogLimits(f, x, multiplyAdd(e, float(f, 0.693359375), f32x4.add(y, tail)));
}

/** log u + (x − (u − 1))/u with u = 1 + x rounded: the quotient is what rounding lost. */
export function log1p(f: FunctionBuilder, x: V128): V128 {
  const u = f.keep(f32x4.add(x, float(f, 1)));
  const lost = f.keep(f32x4.div(f32x4.sub(x, f32x4.sub(u, float(f, 1))), u));
  const y = f.keep(log(f, u));
  // At x = −1 and x = ∞ the quotient is NaN where log u is already the answer.
  return f32x4.add(y, v128.and(lost, f32x4.eq(lost, lost)));
}
