/**
 * `dot`: the contraction of two operands, planned once for each spec and pair of shapes. Where one side has
 * a single row, or nothing is contracted, there is nothing to keep in registers: a map streams through.
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { MapKernel } from "../../kernel-set.js";
import { parseSpec } from "../../letters.js";
import type { Heap } from "../heap.js";
import type { Maps } from "../map/map.js";
import { ShapeCache, type SizeOf } from "../shape-cache.js";
import type { Multiplier } from "./blocks.js";
import { groupsOf, planDot, type DotPlan, type DotSpec } from "./plan.js";

interface TiledPlan extends DotPlan {
  readonly kind: "tiles";
  readonly scratchBytes: number;
}

interface StreamedPlan {
  readonly kind: "map";
  readonly kernel: MapKernel;
}

const noSizes = {};

export class Dot {
  readonly #heap: Heap;
  readonly #maps: Maps;
  readonly #multiplier: Multiplier;
  readonly #plans = new ShapeCache<TiledPlan | StreamedPlan>();

  constructor(heap: Heap, maps: Maps, multiplier: Multiplier) {
    this.#heap = heap;
    this.#maps = maps;
    this.#multiplier = multiplier;
  }

  run(spec: string, x: Tensor, y: Tensor): Tensor {
    const plan = this.#plans.get(spec, [x.shape, y.shape], (sizeOf) => this.#plan(spec, sizeOf));
    if (plan.kind === "map") return this.#maps.run(plan.kernel, [x, y], noSizes);
    const output = this.#heap.output(plan.outputShape);
    const scratch = this.#heap.scratch(plan.scratchBytes);
    const a = this.#heap.address(plan.swapped ? y : x);
    const b = this.#heap.address(plan.swapped ? x : y);
    const c = this.#heap.address(output);
    this.#multiplier.run(plan.product, a, b, c, scratch, plan.batch);
    return output;
  }

  #plan(text: string, sizeOf: SizeOf): TiledPlan | StreamedPlan {
    const { operands, result } = parseSpec(text);
    const spec: DotSpec = { a: operands[0]!, b: operands[1]!, output: result };
    const { rows, columns, contracted } = groupsOf(spec);
    const isOne = (letters: string): boolean =>
      [...letters].every((letter) => sizeOf(letter) === 1);
    if (isOne(rows) || isOne(columns) || isOne(contracted))
      return { kind: "map", kernel: product(spec, contracted) };
    const plan = planDot(this.#heap, spec, sizeOf);
    return { kind: "tiles", ...plan, scratchBytes: this.#multiplier.scratchBytes(plan.product) };
  }
}

function product({ a, b, output }: DotSpec, contracted: string): MapKernel {
  const factors = [0, 1].map((index) => ({ kind: "input", index }) as const);
  return {
    inputs: [a, b],
    output,
    reduce: contracted === "" ? null : "sum",
    code: [{ fn: "mul", arguments: factors }],
  };
}
