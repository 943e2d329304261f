/**
 * Sine and cosine. x = q·π/2 + r is reduced in double precision with π/2 in two parts (fdlibm's pio2_1,
 * 33 bits, and pio2_1t), exact for |x| < 1.6e6, absolute error about |x|·1e-16 beyond; the polynomials on
 * |r| ≤ π/4 are those of Cephes' sinf and cosf (S. Moshier).
 */

import type { FunctionBuilder } from "../assembler/assembler.js";
import { f32x4, f64x2, i32x4, multiplyAdd, v128, type V128 } from "../assembler/instructions.js";
import { shifter } from "./exponential.js";
import { clamp, float, int, polynomial } from "./polynomial.js";

const sineCoefficients = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1] as const;
const cosineCoefficients = [
  2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2,
] as const;

const halfPiHigh = 1.57079632673412561417;
const halfPiLow = 6.07710050650619224932e-11;

/** r and q mod 4 as floats, in the two low lanes. */
function reduceHalf(f: FunctionBuilder, x: V128): { r: V128; quadrant: V128 } {
  const double = (value: number): V128 => f.constant(f64x2.const(value));
  const wide = f.keep(f64x2.fromF32(x));
  const q = f.keep(f64x2.nearest(f64x2.mul(wide, double(2 / Math.PI))));
  const high = f64x2.sub(wide, f64x2.mul(q, double(halfPiHigh)));
  const r = f32x4.fromF64(f64x2.sub(high, f64x2.mul(q, double(halfPiLow))));
  const fours = f64x2.mul(f64x2.floor(f64x2.mul(q, double(0.25))), double(4));
  return { r: f.keep(r), quadrant: f.keep(f32x4.fromF64(f64x2.sub(q, fours))) };
}

/** sin(x + turns·π/2) */
function sineOf(f: FunctionBuilder, x: V128, turns: 0 | 1): V128 {
  const low = reduceHalf(f, x);
  const high = reduceHalf(f, f.keep(v128.shuffle32(x, x, [2, 3, 2, 3])));
  // Past 2⁵³ no bit of r is right; the limits keep the result within [−1, 1].
  const r = f.keep(
    clamp(f, f.keep(v128.shuffle32(low.r, high.r, [0, 1, 4, 5])), -0.7853982, 0.7853982),
  );
  const joined = v128.shuffle32(low.quadrant, high.quadrant, [0, 1, 4, 5]);
  const quadrant = f.keep(f32x4.add(joined, float(f, shifter + turns))); // in the low bits
  const z = f.keep(f32x4.mul(r, r));
  const sine = multiplyAdd(f32x4.mul(polynomial(f, z, sineCoefficients), z), r, r);
  const even = multiplyAdd(z, float(f, -0.5), float(f, 1));
  const cosine = multiplyAdd(polynomial(f, z, cosineCoefficients), f32x4.mul(z, z), even);
  const one = int(f, 1);
  const value = v128.bitselect(cosine, sine, i32x4.eq(v128.and(quadrant, one), one));
  return v128.xor(value, i32x4.shl(v128.and(quadrant, int(f, 2)), 30));
}

export const sin = (f: FunctionBuilder, x: V128): V128 => sineOf(f, x, 0);
export const cos = (f: FunctionBuilder, x: V128): V128 => sineOf(f, x, 1);
