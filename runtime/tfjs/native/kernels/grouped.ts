/**
 * Products of slots with their groups' weights, with sizes that only TensorFlow knows: slots are sorted by group, cut where
 * groups end, and each piece is one matmul, of no rows where a group has no slots. Nothing is read back, so that it can be a
 * part of a graph.
 */

import type { Tensor, Tensor1D } from "@tensorflow/tfjs";
import type { Tf } from "../../generic/context.js";
import type { GroupedProducts } from "../../generic/grouped.js";
import { view } from "../../generic/layout.js";
import type { NativeOps } from "./ops.js";

export function nativeProducts(tf: Tf, ops: NativeOps): GroupedProducts {
  /** Slots in the order of their groups, equal ones as they came. */
  const orderOf = (ids: Tensor1D): Tensor => {
    const keys = view(tf.neg(tf.cast(ids, "float32")), [1, ids.size]);
    return view(ops.topK(keys, ids.size), [ids.size]);
  };
  return {
    dot(x, w, ids, transposed) {
      const groups = w.shape[0]!;
      const order = orderOf(ids);
      const parts = ops.split(ops.gather(x, order), ops.count(ids, groups), groups);
      const weights = ops.unstack(w);
      const products = parts.map((part, g) => ops.matMul(part, weights[g]!, false, transposed));
      return ops.gather(tf.concat(products, 0), ops.invertPermutation(order));
    },
    outer(x, y, ids, groups) {
      const order = orderOf(ids);
      const sizes = ops.count(ids, groups);
      const [left, right] = [x, y].map((one) => ops.split(ops.gather(one, order), sizes, groups));
      return tf.stack(left!.map((part, g) => ops.matMul(part, right![g]!, true, false)));
    },
  };
}
