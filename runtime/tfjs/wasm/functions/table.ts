/** One row for each scalar function: how it is computed on four lanes. */

import type { ScalarFunction } from "../../../../compiler/ir/scalar-functions.js";
import type { FunctionBuilder } from "../assembler/assembler.js";
import { f32x4, v128, type V128 } from "../assembler/instructions.js";
import { exp, expm1, sigmoid, softplus, tanh } from "./exponential.js";
import { log, log1p } from "./logarithm.js";
import { float } from "./polynomial.js";
import { pow } from "./power.js";
import { cos, sin } from "./trigonometry.js";

export interface VectorFunction {
  /** Emits what is needed and returns the value; arguments are locals or constants. */
  readonly emit: (f: FunctionBuilder, a: V128, b: V128, c: V128) => V128;
  /** About how many instructions: decides how far loops are unrolled. */
  readonly cost: number;
}

const cheap = (emit: VectorFunction["emit"], cost = 1): VectorFunction => ({ emit, cost });

/** 1 or 0 by a mask. */
const truth = (compare: (a: V128, b: V128) => V128): VectorFunction =>
  cheap((f, a, b) => v128.and(compare(a, b), float(f, 1)), 2);

export const vectorFunctions: Readonly<Record<ScalarFunction, VectorFunction>> = {
  neg: cheap((_, x) => f32x4.neg(x)),
  exp: { emit: exp, cost: 24 },
  expm1: { emit: expm1, cost: 22 },
  log: { emit: log, cost: 36 },
  log1p: { emit: log1p, cost: 42 },
  sigmoid: { emit: sigmoid, cost: 30 },
  softplus: { emit: softplus, cost: 44 },
  tanh: { emit: tanh, cost: 28 },
  sqrt: cheap((_, x) => f32x4.sqrt(x)),
  rsqrt: cheap((f, x) => f32x4.div(float(f, 1), f32x4.sqrt(x)), 2),
  square: cheap((_, x) => f32x4.mul(x, x)),
  reciprocal: cheap((f, x) => f32x4.div(float(f, 1), x)),
  abs: cheap((_, x) => f32x4.abs(x)),
  sign: cheap((f, x) => {
    const positive = f.keep(v128.and(f32x4.gt(x, float(f, 0)), float(f, 1)));
    const negative = f.keep(v128.and(f32x4.lt(x, float(f, 0)), float(f, 1)));
    // Where neither holds x is 0, −0 or NaN, and its own sign.
    return v128.bitselect(
      f32x4.sub(positive, negative),
      x,
      f32x4.ne(v128.or(positive, negative), float(f, 0)),
    );
  }, 8),
  floor: cheap((_, x) => f32x4.floor(x)),
  sin: { emit: sin, cost: 50 },
  cos: { emit: cos, cost: 50 },
  stop: cheap((_, x) => x, 0),
  to_int: cheap((_, x) => f32x4.floor(x)),
  add: cheap((_, a, b) => f32x4.add(a, b)),
  sub: cheap((_, a, b) => f32x4.sub(a, b)),
  mul: cheap((_, a, b) => f32x4.mul(a, b)),
  div: cheap((_, a, b) => f32x4.div(a, b)),
  pow: { emit: pow, cost: 120 },
  maximum: cheap((_, a, b) => v128.bitselect(a, b, f32x4.ge(a, b)), 2),
  minimum: cheap((_, a, b) => v128.bitselect(a, b, f32x4.le(a, b)), 2),
  mod: cheap((_, a, b) => f32x4.sub(a, f32x4.mul(b, f32x4.floor(f32x4.div(a, b)))), 4),
  lt: truth(f32x4.lt),
  le: truth(f32x4.le),
  gt: truth(f32x4.gt),
  ge: truth(f32x4.ge),
  eq: truth(f32x4.eq),
  ne: truth(f32x4.ne),
  select: cheap((f, condition, a, b) => v128.bitselect(a, b, f32x4.ne(condition, float(f, 0))), 2),
};
