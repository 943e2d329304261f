/** Shorthand of the vector functions. All arguments are locals or constants: free to use repeatedly. */

import type { FunctionBuilder } from "../assembler/assembler.js";
import { f32x4, i32x4, multiplyAdd, v128, type V128 } from "../assembler/instructions.js";

export const float = (f: FunctionBuilder, value: number): V128 => f.constant(f32x4.const(value));
export const int = (f: FunctionBuilder, value: number): V128 => f.constant(i32x4.const(value));

/**
 * A polynomial, highest coefficient first, by Estrin's scheme: pairs, then pairs of pairs in x², x⁴. The chain
 * of dependent instructions is half as long as Horner's, which is what limits loops over long functions.
 */
export function polynomial(f: FunctionBuilder, x: V128, coefficients: readonly number[]): V128 {
  let terms = coefficients.map((value) => float(f, value)).reverse();
  for (let power = x; terms.length > 1; power = f.keep(f32x4.mul(power, power))) {
    const pairs: V128[] = [];
    for (let i = 0; i < terms.length; i += 2) {
      const [low, high] = [terms[i]!, terms[i + 1]];
      pairs.push(high ? f.keep(multiplyAdd(high, power, low)) : low);
    }
    terms = pairs;
  }
  return terms[0]!;
}

/** |x| as a mask: all bits but the sign. */
export const magnitudeMask = (f: FunctionBuilder): V128 => int(f, 0x7fffffff);

/** The magnitude of `a` with the sign of `b`. */
export const copySign = (f: FunctionBuilder, a: V128, b: V128): V128 =>
  v128.bitselect(a, b, magnitudeMask(f));

/** x limited to [low, high]; NaN stays NaN (`pmin` and `pmax` keep it in their first operand). */
export const clamp = (f: FunctionBuilder, x: V128, low: number, high: number): V128 =>
  f32x4.pmax(f32x4.pmin(x, float(f, high)), float(f, low));
