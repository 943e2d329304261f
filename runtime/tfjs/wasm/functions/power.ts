/**
 * aᵇ = 2^(b·log₂|a|). The product must keep 24 bits after up to 7 bits of integer part, so it is formed in
 * double precision: log₂ m = 2·atanh(s)/ln 2 with s = (m − 1)/(m + 1), |s| < 0.172, by its series to s¹³.
 * Special cases follow JavaScript's `**`.
 */

import type { FunctionBuilder } from "../assembler/assembler.js";
import { f32x4, f64x2, multiplyAdd, v128, type V128 } from "../assembler/instructions.js";
import { expCoefficients, scale, shifter } from "./exponential.js";
import { split } from "./logarithm.js";
import { float, int, magnitudeMask, polynomial } from "./polynomial.js";

const seriesCoefficients = [13, 11, 9, 7, 5, 3, 1].map((n) => (2 * Math.LOG2E) / n);

/** Whole and fractional part of b·log₂ of two lanes. */
function exponentHalf(
  f: FunctionBuilder,
  mantissa: V128,
  exponent: V128,
  b: V128,
): { whole: V128; part: V128 } {
  const double = (value: number): V128 => f.constant(f64x2.const(value));
  const m = f.keep(f64x2.fromF32(mantissa));
  const s = f.keep(f64x2.div(f64x2.sub(m, double(1)), f64x2.add(m, double(1))));
  const square = f.keep(f64x2.mul(s, s));
  const series = seriesCoefficients
    .map(double)
    .reduce((sum, coefficient) => f64x2.add(f64x2.mul(sum, square), coefficient));
  const log2 = f64x2.add(f64x2.fromI32(exponent), f64x2.mul(series, s));
  const product = f.keep(f64x2.mul(log2, f64x2.fromF32(b)));
  const limited = f.keep(f64x2.pmax(f64x2.pmin(product, double(200)), double(-200)));
  const whole = f.keep(f64x2.nearest(limited));
  return {
    whole: f.keep(f32x4.fromF64(whole)),
    part: f.keep(f32x4.fromF64(f64x2.sub(limited, whole))),
  };
}

/** 2^(whole + part) = 2^whole · e^(part·ln 2) */
function exp2(f: FunctionBuilder, whole: V128, part: V128): V128 {
  const r = f.keep(f32x4.mul(part, float(f, Math.LN2)));
  const minusOne = multiplyAdd(f32x4.mul(r, r), polynomial(f, r, expCoefficients), r);
  return scale(f, f.keep(f32x4.add(minusOne, float(f, 1))), f32x4.add(whole, float(f, shifter)));
}

export function pow(f: FunctionBuilder, a: V128, b: V128): V128 {
  const one = float(f, 1);
  const zero = float(f, 0);
  const infinity = float(f, Infinity);
  const magnitude = f.keep(v128.and(a, magnitudeMask(f)));
  const { mantissa, exponent } = split(f, magnitude);
  const upper = (x: V128): V128 => f.keep(v128.shuffle32(x, x, [2, 3, 2, 3]));
  const low = exponentHalf(f, mantissa, exponent, b);
  const high = exponentHalf(f, upper(mantissa), upper(exponent), upper(b));
  const whole = f.keep(v128.shuffle32(low.whole, high.whole, [0, 1, 4, 5]));
  const part = f.keep(v128.shuffle32(low.part, high.part, [0, 1, 4, 5]));
  const finite = f.keep(exp2(f, whole, part));

  // |a| = 0 and ∞: the result is 0 or ∞, by the sign of b.
  const isZero = f32x4.eq(magnitude, zero);
  const isInfinite = f32x4.eq(magnitude, infinity);
  const grows = v128.bitselect(f32x4.lt(b, zero), f32x4.gt(b, zero), isZero);
  const extreme = v128.and(infinity, grows);
  const positive = v128.bitselect(extreme, finite, v128.or(isZero, isInfinite));

  // Below 0: odd b changes the sign, a fraction in b gives NaN (∞ counts as even).
  const negative = f.keep(f32x4.lt(a, zero));
  const half = f.keep(f32x4.mul(b, float(f, 0.5)));
  const odd = v128.and(f32x4.ne(half, f32x4.floor(half)), f32x4.eq(b, f32x4.floor(b)));
  const signed = v128.xor(positive, v128.and(odd, v128.and(a, int(f, -0x80000000))));
  const fraction = v128.and(
    f32x4.ne(b, f32x4.floor(b)),
    v128.and(negative, f32x4.lt(magnitude, infinity)),
  );
  const nan = v128.or(fraction, v128.or(f32x4.ne(a, a), f32x4.ne(b, b)));
  // 1 to ±∞ is NaN in JavaScript: 0 · ∞.
  const oneToInfinity = v128.and(
    f32x4.eq(magnitude, one),
    f32x4.eq(v128.and(b, magnitudeMask(f)), infinity),
  );
  const value = v128.or(signed, v128.or(nan, oneToInfinity));
  return v128.bitselect(one, value, f32x4.eq(b, zero));
}
