/** Shorthand of the vector functions. All arguments are locals or constants: free to use repeatedly. */

import type { FunctionBuilder } from "../assembler/assembler.js";
import { f32x4, i32x4, multiplyAdd, v128, type V128 } from "../assembler/instructions.js";

export const float = (f: FunctionBuilder, value: number): V128 => f.constant(f32x4.const(value));
export const int = (f: FunctionBuilder, value: number): V128 => f.constant(i32x4.const(value));

/** Horner's rule, highest coefficient first. */
export function polynomial(f: FunctionBuilder, x: V128, coefficients: readonly number[]): V128 {
  const [first, ...rest] = coefficients.map((value) => float(f, value));
  return rest.reduce((sum, coefficient) => multiplyAdd(sum, x, coefficient), first!);
}

/** |x| as a mask: all bits but the sign. */
export const magnitudeMask = (f: FunctionBuilder): V128 => int(f, 0x7fffffff);

/** The magnitude of `a` with the sign of `b`. */
export const copySign = (f: FunctionBuilder, a: V128, b: V128): V128 =>
  v128.bitselect(a, b, magnitudeMask(f));

/** x limited to [low, high]; NaN stays NaN (`pmin` and `pmax` keep it in their first operand). */
export const clamp = (f: FunctionBuilder, x: V128, low: number, high: number): V128 =>
  f32x4.pmax(f32x4.pmin(x, float(f, high)), float(f, low));
