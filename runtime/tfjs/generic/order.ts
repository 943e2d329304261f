/** `topK` and `argsort`: positions, with equal values in order of position. */

import type { Tensor } from "@tensorflow/tfjs";
import type { Context } from "./context.js";
import { threeAxes, transpose, view } from "./layout.js";

/** x as rows [n, size] along the axis, and the way back to the axis's own place. */
function asRows(
  context: Context,
  x: Tensor,
  axis: number,
): { rows: Tensor; before: number; size: number; after: number } {
  const whole = threeAxes(x, axis);
  const [before, size, after] = whole.shape as [number, number, number];
  const moved = after === 1 ? whole : transpose(context, whole, [0, 2, 1]);
  return { rows: view(moved, [before * after, size]), before, size, after };
}

/**
 * The place of every element in its row's order, by counting the elements that come before it: no reading
 * back and no luck with ties, at size² comparisons.
 */
function ranks({ tf }: Context, rows: Tensor, direction: "ascending" | "descending"): Tensor {
  const [n, size] = rows.shape as [number, number];
  const other = view(rows, [n, 1, size]);
  const own = view(rows, [n, size, 1]);
  const ahead = direction === "ascending" ? tf.less(other, own) : tf.greater(other, own);
  const position = tf.range(0, size, 1, "float32");
  const earlier = tf.less(view(position, [1, 1, size]), view(position, [1, size, 1]));
  const tied = tf.mul(tf.cast(tf.equal(other, own), "float32"), tf.cast(earlier, "float32"));
  return tf.cast(tf.sum(tf.add(tf.cast(ahead, "float32"), tied), 2), "int32");
}

/** Positions by rank: the inverse of each row's permutation. */
function invert({ tf }: Context, ranked: Tensor): Tensor {
  const [n, size] = ranked.shape as [number, number];
  const starts = view(tf.range(0, n * size, size, "int32"), [n, 1]);
  const places = view(tf.add(ranked, starts), [-1, 1]);
  const position = view(
    tf.mul(tf.ones([n, 1], "int32"), view(tf.range(0, size, 1, "int32"), [1, size])),
    [-1],
  );
  return view(tf.scatterND(places as never, position, [n * size]), [n, size]);
}

/** The order of each row: stable, by whichever way the backend allows. */
function orderOf(context: Context, rows: Tensor, direction: "ascending" | "descending"): Tensor {
  const { tf, can } = context;
  if (can.stableTopK)
    return tf.topk(direction === "ascending" ? tf.neg(rows) : rows, rows.shape[1], true).indices;
  if (context.can.readsBack) return sortRows(context, rows, direction);
  return invert(context, ranks(context, rows, direction));
}

function sortRows({ tf }: Context, rows: Tensor, direction: "ascending" | "descending"): Tensor {
  const [n, size] = rows.shape as [number, number];
  const keys = rows.dataSync();
  const before =
    direction === "ascending" ? (a: number, b: number) => a < b : (a: number, b: number) => a > b;
  const order = new Int32Array(n * size);
  for (let start = 0; start < n * size; start += size) {
    const row = Array.from({ length: size }, (_, i) => i);
    // By comparison, since −∞ − −∞ is no number. Stable by the language's definition.
    row.sort(
      (a, b) =>
        Number(before(keys[start + b]!, keys[start + a]!)) -
        Number(before(keys[start + a]!, keys[start + b]!)),
    );
    order.set(row, start);
  }
  return tf.tensor2d(order, [n, size], "int32");
}

export function createTopK(context: Context) {
  const { tf, can } = context;
  return (x: Tensor, axis: number, k: number): Tensor => {
    const { rows } = asRows(context, x, axis);
    const positions = can.stableTopK
      ? tf.topk(rows, k, true).indices
      : tf.slice(orderOf(context, rows, "descending"), [0, 0], [-1, k]);
    return tf.cast(view(positions, [...x.shape.filter((_, i) => i !== axis), k]), "int32");
  };
}

export function createArgsort(context: Context) {
  return (x: Tensor, axis: number): Tensor => {
    const { rows, before, size, after } = asRows(context, x, axis);
    const whole = view(orderOf(context, rows, "ascending"), [before, after, size]);
    return view(after === 1 ? whole : transpose(context, whole, [0, 2, 1]), x.shape);
  };
}
