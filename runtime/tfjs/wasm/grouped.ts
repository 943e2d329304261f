/**
 * `groupedDot` and `groupedOuter`: slots are bucketed by group on the host's side of the heap, and what the
 * buckets hold are the tables of byte offsets that the product reads its rows (or its k) through. No slot is
 * moved, whatever the layout.
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { KernelSet } from "../kernel-set.js";
import { common, parseSpec, without } from "../letters.js";
import type { Multiplier } from "./dot/blocks.js";
import { A, B, byteOffsets, C, planProduct, type Product } from "./dot/product.js";
import type { Heap } from "./heap.js";
import type { RowMover } from "./rows.js";
import { ShapeCache, type SizeOf } from "./shape-cache.js";
import { axesOver, offsetsOf, type Axis } from "./strides.js";

interface GroupedPlan {
  readonly outputShape: readonly number[];
  /** Planned for a bucket of all slots. */
  readonly product: Product;
  readonly productBytes: number;
  readonly groups: number;
  /** Bytes from one group to the next in the operand or result that has them. */
  readonly groupBytes: number;
  /** Element offset in the ids of every slot. */
  readonly idOf: Int32Array;
  /** Byte offsets of every slot in the two tensors that are reached through buckets. */
  readonly first: Int32Array;
  readonly second: Int32Array;
}

/** Position of the ids among the operands of the axes, after A, B and C. */
const Ids = 3;

export function createGrouped(
  heap: Heap,
  multiplier: Multiplier,
  rows: RowMover,
): Pick<KernelSet, "groupedDot" | "groupedOuter"> {
  const dotPlans = new ShapeCache<GroupedPlan>();
  const outerPlans = new ShapeCache<GroupedPlan>();

  const planFor = (
    axes: Readonly<Record<"rows" | "columns" | "ks", readonly Axis[]>>,
    scattered: "rows" | "ks",
    group: Pick<GroupedPlan, "outputShape" | "groups" | "groupBytes">,
  ): GroupedPlan => {
    const product = planProduct(heap, axes, scattered);
    const slots = axes[scattered];
    return {
      ...group,
      product,
      productBytes: multiplier.scratchBytes(product),
      idOf: Int32Array.from(offsetsOf(slots, Ids)),
      first: byteOffsets(slots, A),
      second: byteOffsets(slots, scattered === "rows" ? C : B),
    };
  };

  /** Runs `each` for every group that has slots, with their tables. */
  const overGroups = (
    plan: GroupedPlan,
    ids: Tensor,
    each: (group: number, count: number, first: number, second: number, scratch: number) => void,
  ): void => {
    const scratch = heap.scratch(plan.productBytes + 8 * plan.idOf.length);
    const first = scratch + plan.productBytes;
    const second = first + 4 * plan.idOf.length;
    const starts = fillBuckets(heap, plan, heap.address(ids), first, second);
    for (let group = 0; group < plan.groups; group++) {
      const start = 4 * starts[group]!;
      const count = starts[group + 1]! - starts[group]!;
      if (count > 0) each(group, count, first + start, second + start, scratch);
    }
  };

  return {
    groupedDot(spec, group, x, w, ids) {
      const plan = dotPlans.get(spec, [x.shape, w.shape, ids.shape], (sizeOf) => {
        const { operands, result } = parseSpec(spec);
        const [xs, ws, slots] = operands as [string, string, string];
        const over = without(common(xs, ws), result);
        const along = (letters: string): Axis[] =>
          axesOver(letters, [xs, ws, result, slots], sizeOf);
        const axes = {
          rows: along(without(result, ws)),
          columns: along(without(result, xs)),
          ks: along(over),
        };
        return planFor(axes, "rows", {
          outputShape: [...result].map(sizeOf),
          groups: sizeOf(group),
          groupBytes: 4 * along(group)[0]!.strides[B]!,
        });
      });
      const output = heap.output(plan.outputShape);
      const [a, b, c] = [heap.address(x), heap.address(w), heap.address(output)];
      overGroups(plan, ids, (g, m, aRows, cRows, scratch) =>
        multiplier.run(
          { ...plan.product, m, aRows, cRows },
          a,
          b + g * plan.groupBytes,
          c,
          scratch,
        ),
      );
      return output;
    },
    groupedOuter(spec, group, groups, x, y, ids) {
      const plan = outerPlans.get(spec, [x.shape, y.shape, ids.shape, [groups]], (known) => {
        const { operands, result } = parseSpec(spec);
        const [xs, ys, slots] = operands as [string, string, string];
        const sizeOf: SizeOf = (letter) => (letter === group ? groups : known(letter));
        const over = without(common(xs, ys), result);
        const along = (letters: string): Axis[] =>
          axesOver(letters, [xs, ys, result, slots], sizeOf);
        const axes = {
          rows: along(without(xs, over)),
          columns: along(without(ys, over)),
          ks: along(over),
        };
        return planFor(axes, "ks", {
          outputShape: [...result].map(sizeOf),
          groups,
          groupBytes: 4 * along(group)[0]!.strides[C]!,
        });
      });
      const output = heap.output(plan.outputShape);
      const [a, b, c] = [heap.address(x), heap.address(y), heap.address(output)];
      // A group without slots is not visited.
      rows.zero(c, 1, output.size, 0);
      overGroups(plan, ids, (g, k, aK, bK, scratch) =>
        multiplier.run({ ...plan.product, k, aK, bK }, a, b, c + g * plan.groupBytes, scratch),
      );
      return output;
    },
  };
}

/** Writes the two tables, slots in the order of their groups, and returns where each group starts. */
function fillBuckets(
  heap: Heap,
  plan: GroupedPlan,
  ids: number,
  first: number,
  second: number,
): Int32Array {
  const words = heap.i32;
  const starts = new Int32Array(plan.groups + 1);
  const count = plan.idOf.length;
  for (let slot = 0; slot < count; slot++) {
    const id = words[ids / 4 + plan.idOf[slot]!]!;
    if (id < 0 || id >= plan.groups)
      throw new RangeError(`group ${id} is not one of 0 … ${plan.groups - 1}`);
    starts[id + 1]!++;
  }
  for (let group = 0; group < plan.groups; group++) starts[group + 1]! += starts[group]!;
  const next = starts.slice();
  for (let slot = 0; slot < count; slot++) {
    const place = next[words[ids / 4 + plan.idOf[slot]!]!]!++;
    words[first / 4 + place] = plan.first[slot]!;
    words[second / 4 + place] = plan.second[slot]!;
  }
  return starts;
}
