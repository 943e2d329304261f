/**
 * `solve`: (I − L) X = b with L strictly lower triangular, by the inverse, doubling its blocks.
 *
 * For a pair of neighbouring diagonal blocks, [A 0; −C D]⁻¹ = [A⁻¹ 0; D⁻¹ C A⁻¹ D⁻¹]. With V the inverse of
 * the block-diagonal part and C the lower-left blocks, all pairs are done at once: V ← V + V C V. Powers of L
 * (the product Π (I + L^(2^i))) would take as many steps, but cancel to nothing when keys are alike.
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { Context } from "./context.js";
import { arrange, spread, view } from "./layout.js";
import { common, countOf, parseSpec, shapeOf, sizesOf, without } from "../letters.js";

/** 1 at (r, c) in the lower-left block of a pair of blocks of this size. */
function pairMask(n: number, block: number): Float32Array {
  return Float32Array.from({ length: n * n }, (_, i) => {
    const [r, c] = [Math.floor(i / n / block), Math.floor((i % n) / block)];
    return Number(r === c + 1 && c % 2 === 0);
  });
}

export function createSolve(context: Context) {
  const { tf, can } = context;

  const inverse = (l: Tensor, n: number): Tensor => {
    let value: Tensor = tf.add(tf.eye(n), tf.mul(l, tf.tensor2d(pairMask(n, 1), [n, n])));
    for (let block = 2; block < n; block *= 2) {
      const lower = tf.mul(l, tf.tensor2d(pairMask(n, block), [n, n]));
      value = tf.add(value, tf.matMul(tf.matMul(value, lower), value));
    }
    return value;
  };

  return (
    text: string,
    row: string,
    column: string,
    transposed: boolean,
    l: Tensor,
    b: Tensor,
  ): Tensor => {
    const { operands, result } = parseSpec(text);
    const [matrix, right] = operands as [string, string];
    const sizes = sizesOf(operands, [l, b]);
    const n = sizes[row]!;
    const batch = without(matrix, row + column);
    const rest = without(right, batch + row);
    const order = common(result, batch) + row + rest;
    const shared = common(order, batch);
    const lower = view(arrange(context, l, matrix, shared + row + column), [
      countOf(shared, sizes),
      n,
      n,
    ]);
    const known = view(spread(context, b, right, order, sizes), [
      countOf(shared, sizes),
      n,
      countOf(rest, sizes),
    ]);
    const found = inverse(lower, n);
    const value =
      transposed && !can.transposedMatMul
        ? tf.matMul(tf.transpose(found, [0, 2, 1]), known)
        : tf.matMul(found, known, transposed);
    return arrange(context, view(value, shapeOf(order, sizes)), order, result);
  };
}
