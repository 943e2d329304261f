/** The causal convolution along an axis and its two gradients; `positions` keep it within documents. */

import type { KernelSet } from "../kernel-set.js";
import { type Sizes, countOf, parseSpec, shapeOf, sizesOf } from "../letters.js";
import type { Kernels } from "./kernel.js";
import type { Maps } from "./map/map.js";
import { offsetOf, places } from "./wgsl/index.js";
import { type Binding, type Program, elementwise } from "./wgsl/shader.js";

type Conv = Pick<KernelSet, "conv" | "convInputGradient" | "convWeightGradient">;

interface Plan {
  readonly axis: string;
  readonly taps: string;
  /** Letters of the operands and the result. */
  readonly letters: readonly [first: string, second: string, positions: string, result: string];
  readonly sizes: Sizes;
}

const bindings: readonly Binding[] = [
  { name: "a", element: "f32", access: "read" },
  { name: "b", element: "f32", access: "read" },
  { name: "positions", element: "f32", access: "read" },
  { name: "y", element: "f32", access: "write" },
];

const rowsOfAPart = 32; // that a thread adds up for the weights' gradient

export function createConv(kernels: Kernels, maps: Maps): Conv {
  const planOf = (
    spec: string,
    axis: string,
    taps: string,
    tensors: Parameters<typeof sizesOf>[1],
    known: Sizes = {},
  ): Plan => {
    const { operands, result } = parseSpec(spec);
    const sizes = sizesOf(operands, tensors, known);
    return { axis, taps, letters: [...operands, result] as unknown as Plan["letters"], sizes };
  };
  const keyOf = (name: string, { letters, sizes, axis, taps }: Plan): string =>
    `${name} ${axis}${taps} ${letters.join()} ${JSON.stringify(sizes)}`;
  return {
    conv(spec, axis, taps, x, w, positions) {
      const plan = planOf(spec, axis, taps, [x, w, positions]);
      const program = kernels.program(keyOf("conv", plan), () => along(plan, false));
      return kernels.make(program, [x, w, positions], x.shape);
    },
    convInputGradient(spec, axis, taps, dy, w, positions) {
      const plan = planOf(spec, axis, taps, [dy, w, positions]);
      const program = kernels.program(keyOf("conv gradient", plan), () => along(plan, true));
      return kernels.make(program, [dy, w, positions], dy.shape);
    },
    convWeightGradient(spec, axis, taps, size, x, dy, positions) {
      const plan = planOf(spec, axis, taps, [x, dy, positions], { [taps]: size });
      const [, , rows, result] = plan.letters;
      const parts = Math.ceil(countOf(rows, plan.sizes) / rowsOfAPart);
      const program = kernels.program(keyOf("conv weights", plan), () => weights(plan, parts));
      const shape = shapeOf(result, plan.sizes);
      if (parts === 1) return kernels.make(program, [x, dy, positions], shape);
      const partial = kernels.make(program, [x, dy, positions], [parts, ...shape]);
      const letter = [..."PQRSUVW"].find((one) => !result.includes(one))!;
      const whole = maps.reduce(`${letter}${result}->${result}`, "sum", partial);
      partial.dispose();
      return whole;
    },
  };
}

/** Σⱼ w[j] · x[t − j] while j ≤ positions[t]; or, of dy, Σⱼ w[j] · dy[t + j] while j ≤ positions[t + j]. */
function along({ axis, taps, letters, sizes }: Plan, gradient: boolean): Program {
  const [first, second, positions, result] = letters;
  const sizeOf = (letter: string): number => sizes[letter]!;
  const moved = (letter: string): string => (letter === axis ? "moved" : `at${letter}`);
  const own = gradient ? moved : undefined; // whose position it is
  const inside = gradient ? `moved < ${sizeOf(axis)}u` : `j <= at${axis}`;
  return elementwise({
    bindings,
    count: countOf(result, sizes),
    body: `${places("i", result, sizeOf)}
var total = 0f;
for (var j = 0u; j < ${sizeOf(taps)}u; j++) {
let moved = at${axis} ${gradient ? "+" : "-"} j;
if (${inside}) { if (f32(j) <= positions[${offsetOf(positions, sizeOf, own)}]) {
total += b[${offsetOf(second, sizeOf, (letter) => (letter === taps ? "j" : `at${letter}`))}] * a[${offsetOf(first, sizeOf, moved)}];
} }
}
y[i] = total;`,
  });
}

/** dw[j] = Σ_t dy[t] · x[t − j] while j ≤ positions[t], over some of the rows t for each part. */
function weights({ axis, taps, letters, sizes }: Plan, parts: number): Program {
  const [first, second, rows, result] = letters;
  const sizeOf = (letter: string): number => sizes[letter]!;
  const count = countOf(result, sizes);
  const total = countOf(rows, sizes);
  return elementwise({
    bindings,
    count: parts * count,
    body: `let element = i % ${count}u;
let part = i / ${count}u;
${places("element", result, sizeOf)}
let end = min((part + 1u) * ${rowsOfAPart}u, ${total}u);
var total = 0f;
for (var row = part * ${rowsOfAPart}u; row < end; row++) {
${places("row", rows, sizeOf)}
if (at${taps} <= at${axis}) { if (f32(at${taps}) <= positions[row]) {
let moved = at${axis} - at${taps};
total += b[${offsetOf(second, sizeOf)}] * a[${offsetOf(first, sizeOf, (letter) => (letter === axis ? "moved" : `at${letter}`))}];
} }
}
y[i] = total;`,
  });
}
