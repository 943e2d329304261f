/**
 * topK and argsort: each element's place in its row is how many elements come before it, by value and then by
 * position. That takes size² comparisons, and no luck with ties.
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { KernelSet } from "../kernel-set.js";
import { viewAlong } from "../wasm/structure.js";
import { type Kernels, elementOf } from "./kernel.js";
import { type Element, type Program, elementwise } from "./wgsl/shader.js";

export function createOrder(kernels: Kernels): Pick<KernelSet, "topK" | "argsort"> {
  const ranked = (x: Tensor, axis: number, sign: "<" | ">", most: number, last: boolean) => {
    const view = viewAlong(x.shape, axis);
    const element = elementOf(x);
    const key = `rank ${view.before} ${view.size} ${view.step} ${sign} ${most} ${last} ${element}`;
    const program = kernels.program(key, () => rankProgram(view, sign, most, last, element));
    const rest = x.shape.filter((_, i) => i !== axis);
    return kernels.make(program, [x], last ? [...rest, most] : x.shape, "int32");
  };
  return {
    topK: (x, axis, k) => ranked(x, axis, ">", k, true),
    argsort: (x, axis) => ranked(x, axis, "<", x.shape[axis]!, false),
  };
}

/** Writes each element's position to its rank, if that is below `most`; along the axis, or as the last axis. */
function rankProgram(
  { before, size, step }: ReturnType<typeof viewAlong>,
  sign: "<" | ">",
  most: number,
  last: boolean,
  element: Element,
): Program {
  return elementwise({
    bindings: [
      { name: "x", element, access: "read" },
      { name: "y", element: "i32", access: "write" },
    ],
    count: before * size * step,
    body: `let inner = i % ${step}u;
let outer = i / ${size * step}u;
let at = (i / ${step}u) % ${size}u;
let row = outer * ${size * step}u + inner;
let own = x[i];
var rank = 0u;
for (var j = 0u; j < at; j++) { let other = x[row + j * ${step}u]; rank += select(0u, 1u, other ${sign} own || other == own); }
for (var j = at + 1u; j < ${size}u; j++) { rank += select(0u, 1u, x[row + j * ${step}u] ${sign} own); }
if (rank < ${most}u) { y[${
      last ? `(outer * ${step}u + inner) * ${most}u + rank` : `row + rank * ${step}u`
    }] = i32(at); }`,
  });
}
