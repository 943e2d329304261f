/** The letters of a contraction by role, and its plan once their sizes are known. */

import { common, without } from "../../letters.js";
import type { Heap } from "../heap.js";
import { axesOver, countOf, type Axis } from "../strides.js";
import type { Batch } from "./blocks.js";
import { A, B, C, offsetTable, planProduct, type Product } from "./product.js";

export interface DotSpec {
  readonly a: string;
  readonly b: string;
  readonly output: string;
}

export interface Groups {
  readonly batch: string;
  readonly rows: string;
  readonly columns: string;
  readonly contracted: string;
}

/** Letters by role, in the order in which C (contracted ones: A) has them. */
export function groupsOf({ a, b, output }: DotSpec): Groups {
  return {
    batch: common(output, common(a, b)),
    rows: without(output, b),
    columns: without(output, a),
    contracted: without(a, output),
  };
}

export interface DotPlan {
  /** The operands change places: the one with the output's last letter must be B, whose columns it is. */
  readonly swapped: boolean;
  readonly outputShape: readonly number[];
  readonly batch: Batch;
  readonly product: Product;
}

export function planDot(heap: Heap, spec: DotSpec, sizeOf: (letter: string) => number): DotPlan {
  const last = [...spec.output].findLast((letter) => sizeOf(letter) > 1) ?? "";
  const swapped = !spec.b.includes(last);
  const { a, b, output } = swapped ? { a: spec.b, b: spec.a, output: spec.output } : spec;
  const groups = groupsOf({ a, b, output });
  const over = (letters: string): Axis[] => axesOver(letters, [a, b, output], sizeOf);
  const batch = over(groups.batch);
  const axes = {
    rows: over(groups.rows),
    columns: over(groups.columns),
    ks: over(groups.contracted),
  };
  return {
    swapped,
    outputShape: [...output].map(sizeOf),
    batch: {
      count: countOf(batch),
      a: offsetTable(heap, batch, A),
      b: offsetTable(heap, batch, B),
      c: offsetTable(heap, batch, C),
    },
    product: planProduct(heap, axes, null),
  };
}
