/**
 * Every scalar function in tfjs ops, on float32 tensors that broadcast against each other.
 * The definitions are those of compiler/ir/scalar-functions.ts.
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { ScalarFunction } from "../../../compiler/ir/scalar-functions.js";
import type { Context } from "./context.js";
import { toFloat } from "./layout.js";

type Scalar = (a: Tensor, b: Tensor, c: Tensor) => Tensor;

export function scalarOps(context: Context): Readonly<Record<ScalarFunction, Scalar>> {
  const { tf, can, own } = context;
  const asFloat = (condition: Tensor): Tensor => toFloat(context, condition);
  const below = (x: Tensor, limit: number): Tensor => tf.less(tf.abs(x), limit);
  const horner = (x: Tensor, coefficients: readonly number[]): Tensor =>
    coefficients
      .slice(1)
      .reduce<Tensor>(
        (sum, c) => tf.add(tf.mul(sum, x), c),
        tf.mul(tf.onesLike(x), coefficients[0]!),
      );

  // Where the backend's own function loses all digits near 0, a series takes its place there.
  const expm1: Scalar = (x) => {
    if (can.precise) return tf.expm1(x);
    const series = tf.mul(x, horner(x, [1 / 5040, 1 / 720, 1 / 120, 1 / 24, 1 / 6, 1 / 2, 1]));
    return tf.where(below(x, 0.35), series, tf.sub(tf.exp(x), 1));
  };
  const log1p: Scalar = (x) => {
    if (can.precise) return tf.log1p(x);
    const s = tf.div(x, tf.add(x, 2)); // log(1 + x) = 2 artanh(x / (2 + x))
    const series = tf.mul(tf.mul(s, 2), horner(tf.square(s), [1 / 9, 1 / 7, 1 / 5, 1 / 3, 1]));
    return tf.where(below(x, 0.4), series, tf.log(tf.add(x, 1)));
  };
  const tanh: Scalar = (x) => {
    if (can.precise) return tf.tanh(x);
    const series = tf.mul(x, horner(tf.square(x), [-17 / 315, 2 / 15, -1 / 3, 1]));
    return tf.where(below(x, 0.2), series, tf.tanh(x));
  };
  /**
   * sin(x) and, with `ahead` = ½, cos(x) = sin(x + π/2): with k = ⌊x/π + ½ + ahead⌋ and r = x − (k − ahead) π,
   * (−1)ᵏ sin(r) for |r| ≤ π/2. π is taken off in three parts, so that the larger products are exact.
   */
  const sine = (x: Tensor, ahead: number): Tensor => {
    const k = tf.floor(tf.add(tf.div(x, Math.PI), 0.5 + ahead));
    const turns = tf.sub(k, ahead);
    const r = [3.140625, 9.67502593994140625e-4, 1.509957990978376e-7].reduce<Tensor>(
      (rest, part) => tf.sub(rest, tf.mul(turns, part)),
      x,
    );
    const odd = tf.sub(k, tf.mul(tf.floor(tf.div(k, 2)), 2));
    const series = horner(tf.square(r), [-1 / 39916800, 1 / 362880, -1 / 5040, 1 / 120, -1 / 6, 1]);
    return tf.mul(tf.mul(r, series), tf.sub(1, tf.mul(odd, 2)));
  };

  return {
    neg: (x) => tf.neg(x),
    exp: (x) => tf.exp(x),
    expm1,
    log: (x) => tf.log(x),
    log1p,
    sigmoid: (x) => tf.sigmoid(x),
    softplus: (x, ...rest) => tf.add(tf.relu(x), log1p(tf.exp(tf.neg(tf.abs(x))), ...rest)),
    tanh,
    sqrt: (x) => tf.sqrt(x),
    rsqrt: (x) => tf.rsqrt(x),
    square: (x) => tf.square(x),
    reciprocal: (x) => tf.reciprocal(x),
    abs: (x) => tf.abs(x),
    sign: (x) => tf.sign(x),
    floor: (x) => tf.floor(x),
    sin: (x) => (can.precise ? tf.sin(x) : sine(x, 0)),
    cos: (x) => (can.precise ? tf.cos(x) : sine(x, 0.5)),
    stop: (x) => tf.clone(x),
    to_int: (x) => tf.floor(x), // the result of the map is cast; within it, values stay float32
    add: (a, b) => tf.add(a, b),
    sub: (a, b) => tf.sub(a, b),
    mul: (a, b) => tf.mul(a, b),
    div: (a, b) => tf.div(a, b),
    pow: (a, b) => tf.pow(a, b),
    maximum: (a, b) => tf.maximum(a, b),
    minimum: (a, b) => tf.minimum(a, b),
    mod: (a, b) => tf.sub(a, tf.mul(b, tf.floor(tf.div(a, b)))), // tf.mod rounds otherwise on some backends
    lt: (a, b) => asFloat(tf.less(a, b)),
    le: (a, b) => asFloat(tf.lessEqual(a, b)),
    gt: (a, b) => asFloat(tf.greater(a, b)),
    ge: (a, b) => asFloat(tf.greaterEqual(a, b)),
    eq: (a, b) => asFloat(tf.equal(a, b)),
    ne: (a, b) => asFloat(tf.notEqual(a, b)),
    select: (c, a, b) => own.select(c, a, b),
  };
}
