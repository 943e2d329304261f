/** `dot`: the contraction of two operands, planned once for each spec and pair of shapes. */

import type { Tensor } from "@tensorflow/tfjs";
import type { Heap } from "../heap.js";
import { parseSpec } from "../../letters.js";
import { ShapeCache } from "../shape-cache.js";
import type { Multiplier } from "./blocks.js";
import { planDot, type DotPlan } from "./plan.js";

export class Dot {
  readonly #heap: Heap;
  readonly #multiplier: Multiplier;
  readonly #plans = new ShapeCache<DotPlan & { readonly scratchBytes: number }>();

  constructor(heap: Heap, multiplier: Multiplier) {
    this.#heap = heap;
    this.#multiplier = multiplier;
  }

  run(spec: string, x: Tensor, y: Tensor): Tensor {
    const plan = this.#plans.get(spec, [x.shape, y.shape], (sizeOf) => {
      const { operands, result } = parseSpec(spec);
      const made = planDot(
        this.#heap,
        { a: operands[0]!, b: operands[1]!, output: result },
        sizeOf,
      );
      return { ...made, scratchBytes: this.#multiplier.scratchBytes(made) };
    });
    const output = this.#heap.output(plan.outputShape);
    const scratch = this.#heap.scratch(plan.scratchBytes);
    const a = this.#heap.address(plan.swapped ? y : x);
    const b = this.#heap.address(plan.swapped ? x : y);
    const c = this.#heap.address(output);
    const { batchA, batchB, batchC } = plan;
    for (let i = 0; i < batchA.length; i++)
      this.#multiplier.run(plan, a + batchA[i]!, b + batchB[i]!, c + batchC[i]!, scratch);
    return output;
  }
}
