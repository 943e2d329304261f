/** linearScan: one thread for every element of the state, which walks along the axis with it. */

import type { KernelSet } from "../kernel-set.js";
import { type Sizes, countOf, parseSpec, shapeOf, sizesOf, without } from "../letters.js";
import type { Kernels } from "./kernel.js";
import { offsetOf, places } from "./wgsl/index.js";
import { type Program, elementwise, literal } from "./wgsl/shader.js";

type Semiring = Parameters<KernelSet["linearScan"]>[2];

export function createLinearScan(kernels: Kernels): KernelSet["linearScan"] {
  return (spec, axis, semiring, modulus, reverse, a, b, initial) => {
    const { operands, result } = parseSpec(spec);
    const sizes = sizesOf(operands, [a, b, initial]);
    const shape = shapeOf(result, sizes);
    const key = `linearScan ${[spec, axis, semiring, modulus, reverse, ...shape].join()}`;
    const program = kernels.program(key, () =>
      scanProgram(operands, result, axis, semiring, modulus, reverse, sizes),
    );
    return kernels.make(program, [a, b, initial], shape);
  };
}

function scanProgram(
  [a, b, initial]: readonly string[],
  result: string,
  axis: string,
  semiring: Semiring,
  modulus: number | null,
  reverse: boolean,
  sizes: Sizes,
): Program {
  const sizeOf = (letter: string): number => sizes[letter]!;
  const place = (letter: string): string => (letter === axis ? "t" : `at${letter}`);
  const size = sizeOf(axis);
  const rest = without(result, axis);
  const one = `a[${offsetOf(a!, sizeOf, place)}]`;
  const other = `b[${offsetOf(b!, sizeOf, place)}]`;
  const next = semiring === "plus-times" ? `${one} * h + ${other}` : `max(${one} + h, ${other})`;
  return elementwise({
    bindings: [
      ...["a", "b", "initial"].map((name) => ({ name, element: "f32", access: "read" }) as const),
      { name: "y", element: "f32", access: "write" },
    ],
    count: countOf(rest, sizes),
    body: `${places("i", rest, sizeOf)}
var h = initial[${offsetOf(initial!, sizeOf)}];
for (var n = 0u; n < ${size}u; n++) {
let t = ${reverse ? `${size - 1}u - n` : "n"};
h = ${next};
${modulus === null ? "" : `h -= ${literal(modulus)} * floor(h / ${literal(modulus)});`}
y[${offsetOf(result, sizeOf, place)}] = h;
}`,
  });
}
