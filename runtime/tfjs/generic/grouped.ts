/**
 * `groupedDot` and `groupedOuter`: every slot with its own group's weights.
 *
 * Where ids can be read, slots are brought into the order of their groups and each group is one matmul.
 * Where they cannot, group and contracted axis are taken together as one: x ⊗ onehot(ids) against all weights.
 */

import type { Tensor, Tensor1D } from "@tensorflow/tfjs";
import type { Context } from "./context.js";
import { arrange, spread, view } from "./layout.js";
import { common, countOf, parseSpec, shapeOf, sizesOf, without } from "../letters.js";

interface Segments {
  /** Slots in the order of their groups, and the place of every slot in that order. */
  readonly order: Int32Array;
  readonly place: Int32Array;
  /** Where each group starts; one more than there are groups. */
  readonly starts: readonly number[];
}

function segmentsOf(ids: ArrayLike<number>, groups: number): Segments {
  const counts = new Array<number>(groups + 1).fill(0);
  for (const id of Array.from(ids)) counts[id + 1]!++;
  for (let g = 0; g < groups; g++) counts[g + 1]! += counts[g]!;
  const next = [...counts];
  const order = new Int32Array(ids.length);
  const place = new Int32Array(ids.length);
  for (let slot = 0; slot < ids.length; slot++) {
    place[slot] = next[ids[slot]!]!++;
    order[place[slot]!] = slot;
  }
  return { order, place, starts: counts };
}

/** x [rows, n] and ids [rows] to [rows, groups · n]: x in its own group's columns, zero elsewhere. */
function besideGroups({ tf }: Context, x: Tensor, ids: Tensor, groups: number): Tensor {
  const [rows, n] = x.shape as [number, number];
  const all = view(tf.range(0, groups, 1, "float32"), [1, groups]);
  const own = tf.cast(tf.equal(view(tf.cast(ids, "float32"), [rows, 1]), all), "float32");
  return view(tf.mul(view(own, [rows, groups, 1]), view(x, [rows, 1, n])), [rows, groups * n]);
}

/** a and b multiplied; a [n, m] taken as [m, n] without asking a slow matmul to do it. */
function transposedMatMul({ tf, can }: Context, a: Tensor, b: Tensor): Tensor {
  return can.transposedMatMul ? tf.matMul(a, b, true) : tf.matMul(tf.transpose(a, [1, 0]), b);
}

export function createGroupedDot(context: Context) {
  const { tf, can } = context;
  return (text: string, group: string, x: Tensor, w: Tensor, ids: Tensor): Tensor => {
    const { operands, result } = parseSpec(text);
    const [xs, ws, slots] = operands as [string, string, string];
    const sizes = sizesOf(operands, [x, w, ids]);
    const over = without(common(xs, ws), result);
    const rows = without(xs, over);
    const columns = without(ws, group + over);
    const groups = sizes[group]!;
    const [n, inner, outer] = [countOf(rows, sizes), countOf(over, sizes), countOf(columns, sizes)];
    const flatX = view(arrange(context, x, xs, rows + over), [n, inner]);
    const flatW = view(arrange(context, w, ws, group + over + columns), [groups * inner, outer]);
    const flatIds = view(spread(context, ids, slots, rows, sizes), [n]) as Tensor1D;

    const bySegment = (): Tensor => {
      const { order, place, starts } = segmentsOf(flatIds.dataSync(), groups);
      const sorted = tf.gather(flatX, tf.tensor1d(order, "int32"));
      const parts: Tensor[] = [];
      for (let g = 0; g < groups; g++) {
        const size = starts[g + 1]! - starts[g]!;
        if (size === 0) continue;
        const weights = tf.slice(flatW, [g * inner, 0], [inner, outer]);
        parts.push(tf.matMul(tf.slice(sorted, [starts[g]!, 0], [size, inner]), weights));
      }
      return tf.gather(tf.concat(parts, 0), tf.tensor1d(place, "int32"));
    };
    const value = can.readsBack
      ? bySegment()
      : tf.matMul(besideGroups(context, flatX, flatIds, groups), flatW);
    return arrange(context, view(value, shapeOf(rows + columns, sizes)), rows + columns, result);
  };
}

export function createGroupedOuter(context: Context) {
  const { tf, can } = context;
  return (
    text: string,
    group: string,
    groups: number,
    x: Tensor,
    y: Tensor,
    ids: Tensor,
  ): Tensor => {
    const { operands, result } = parseSpec(text);
    const [xs, ys, slots] = operands as [string, string, string];
    const sizes = sizesOf(operands, [x, y, ids], { [group]: groups });
    const over = without(common(xs, ys), result);
    const [left, right] = [without(xs, over), without(ys, over)];
    const [n, rows, columns] = [countOf(over, sizes), countOf(left, sizes), countOf(right, sizes)];
    const flatX = view(arrange(context, x, xs, over + left), [n, rows]);
    const flatY = view(arrange(context, y, ys, over + right), [n, columns]);
    const flatIds = view(spread(context, ids, slots, over, sizes), [n]) as Tensor1D;

    const bySegment = (): Tensor => {
      const { order, starts } = segmentsOf(flatIds.dataSync(), groups);
      const sort = (values: Tensor): Tensor => tf.gather(values, tf.tensor1d(order, "int32"));
      const [sortedX, sortedY] = [sort(flatX), sort(flatY)];
      const parts = Array.from({ length: groups }, (_, g) => {
        const [start, size] = [starts[g]!, starts[g + 1]! - starts[g]!];
        if (size === 0) return tf.zeros([rows, columns]);
        return transposedMatMul(
          context,
          tf.slice(sortedX, [start, 0], [size, rows]),
          tf.slice(sortedY, [start, 0], [size, columns]),
        );
      });
      return tf.concat(parts, 0);
    };
    const value = can.readsBack
      ? bySegment()
      : transposedMatMul(context, besideGroups(context, flatX, flatIds, groups), flatY);
    const natural = group + left + right;
    return arrange(context, view(value, shapeOf(natural, sizes)), natural, result);
  };
}
