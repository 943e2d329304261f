/**
 * `groupedDot` and `groupedOuter`: every slot with its own group's weights, as matrices of slots.
 *
 * Where ids can be read, slots are brought into the order of their groups and each group is one matmul.
 * Where they cannot, group and contracted axis are taken together as one: x ⊗ onehot(ids) against all weights.
 */

import type { Tensor, Tensor1D } from "@tensorflow/tfjs";
import type { KernelSet } from "../kernel-set.js";
import type { Context } from "./context.js";
import { arrange, spread, view } from "./layout.js";
import { common, countOf, parseSpec, shapeOf, sizesOf, without } from "../letters.js";

/** Products of slots that belong to groups: x is [slots, n], ids are [slots], int32. */
export interface GroupedProducts {
  /** x[s] · w[ids[s]], w [groups, n, m], or [groups, m, n] where it is `transposed`; gives [slots, m]. */
  dot(x: Tensor, w: Tensor, ids: Tensor1D, transposed: boolean): Tensor;
  /** Σ over each group's slots of x ⊗ y: [groups, n, m]. */
  outer(x: Tensor, y: Tensor, ids: Tensor1D, groups: number): Tensor;
}

/** For the backends of tfjs. */
export function productsFor(context: Context): GroupedProducts {
  return context.can.readsBack ? segmented(context) : dense(context);
}

export function createGroupedDot(
  context: Context,
  products: GroupedProducts,
): KernelSet["groupedDot"] {
  return (text, group, x, w, ids): Tensor => {
    const { operands, result } = parseSpec(text);
    const [xs, ws, slots] = operands as [string, string, string];
    const sizes = sizesOf(operands, [x, w, ids]);
    const over = without(common(xs, ws), result);
    const rows = without(xs, over);
    const columns = without(ws, group + over);
    const [n, inner, outer] = [rows, over, columns].map((letters) => countOf(letters, sizes));
    const flatX = view(arrange(context, x, xs, rows + over), [n!, inner!]);
    const transposed = ws === group + columns + over && over !== "" && columns !== "";
    const flatW = transposed
      ? view(w, [sizes[group]!, outer!, inner!])
      : view(arrange(context, w, ws, group + over + columns), [sizes[group]!, inner!, outer!]);
    const flatIds = view(spread(context, ids, slots, rows, sizes), [n!]) as Tensor1D;
    const value = products.dot(flatX, flatW, flatIds, transposed);
    return arrange(context, view(value, shapeOf(rows + columns, sizes)), rows + columns, result);
  };
}

export function createGroupedOuter(
  context: Context,
  products: GroupedProducts,
): KernelSet["groupedOuter"] {
  return (text, group, groups, x, y, ids): Tensor => {
    const { operands, result } = parseSpec(text);
    const [xs, ys, slots] = operands as [string, string, string];
    const sizes = sizesOf(operands, [x, y, ids], { [group]: groups });
    const over = without(common(xs, ys), result);
    const [left, right] = [without(xs, over), without(ys, over)];
    const [n, rows, columns] = [over, left, right].map((letters) => countOf(letters, sizes));
    const flatX = view(arrange(context, x, xs, over + left), [n!, rows!]);
    const flatY = view(arrange(context, y, ys, over + right), [n!, columns!]);
    const flatIds = view(spread(context, ids, slots, over, sizes), [n!]) as Tensor1D;
    const value = products.outer(flatX, flatY, flatIds, groups);
    const natural = group + left + right;
    return arrange(context, view(value, shapeOf(natural, sizes)), natural, result);
  };
}

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

/** a · b, either taken transposed, without asking a slow matmul to do it. */
function product(
  { tf, can }: Context,
  a: Tensor,
  b: Tensor,
  transposeA: boolean,
  transposeB: boolean,
): Tensor {
  if (can.transposedMatMul) return tf.matMul(a, b, transposeA, transposeB);
  const flip = (x: Tensor, flipped: boolean): Tensor => (flipped ? tf.transpose(x, [1, 0]) : x);
  return tf.matMul(flip(a, transposeA), flip(b, transposeB));
}

function segmented(context: Context): GroupedProducts {
  const { tf } = context;
  const sort = (values: Tensor, { order }: Segments): Tensor =>
    tf.gather(values, tf.tensor1d(order, "int32"));
  const part = (sorted: Tensor, { starts }: Segments, g: number): Tensor =>
    tf.slice(sorted, [starts[g]!, 0], [starts[g + 1]! - starts[g]!, sorted.shape[1]!]);
  const isEmpty = ({ starts }: Segments, g: number): boolean => starts[g + 1] === starts[g];
  return {
    dot(x, w, ids, transposed) {
      const [groups, ...matrix] = w.shape as [number, number, number];
      const segments = segmentsOf(ids.dataSync(), groups);
      const sorted = sort(x, segments);
      const parts: Tensor[] = [];
      for (let g = 0; g < groups; g++) {
        if (isEmpty(segments, g)) continue;
        const weights = view(tf.slice(w, [g, 0, 0], [1, ...matrix]), matrix);
        parts.push(product(context, part(sorted, segments, g), weights, false, transposed));
      }
      return tf.gather(tf.concat(parts, 0), tf.tensor1d(segments.place, "int32"));
    },
    outer(x, y, ids, groups) {
      const segments = segmentsOf(ids.dataSync(), groups);
      const [sortedX, sortedY] = [sort(x, segments), sort(y, segments)];
      const parts = Array.from({ length: groups }, (_, g) => {
        if (isEmpty(segments, g)) return tf.zeros([x.shape[1]!, y.shape[1]!]);
        const [own, other] = [part(sortedX, segments, g), part(sortedY, segments, g)];
        return product(context, own, other, true, false);
      });
      return tf.concat(parts, 0);
    },
  };
}

function dense(context: Context): GroupedProducts {
  const { tf } = context;
  return {
    dot(x, w, ids, transposed) {
      const plain = transposed ? tf.transpose(w, [0, 2, 1]) : w;
      const [groups, inner, outer] = plain.shape as [number, number, number];
      return tf.matMul(besideGroups(context, x, ids, groups), view(plain, [groups * inner, outer]));
    },
    outer: (x, y, ids, groups) =>
      product(context, besideGroups(context, x, ids, groups), y, true, false),
  };
}

/** x [rows, n] and ids [rows] to [rows, groups · n]: x in its own group's columns, zero elsewhere. */
function besideGroups({ tf }: Context, x: Tensor, ids: Tensor, groups: number): Tensor {
  const [rows, n] = x.shape as [number, number];
  const all = view(tf.range(0, groups, 1, "float32"), [1, groups]);
  const own = tf.cast(tf.equal(view(tf.cast(ids, "float32"), [rows, 1]), all), "float32");
  return view(tf.mul(view(own, [rows, groups, 1]), view(x, [rows, 1, n])), [rows, groups * n]);
}
