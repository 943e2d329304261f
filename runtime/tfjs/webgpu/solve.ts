/** solve: (I − L) X = b by substitution, or with Lᵀ: one thread a column of X, which reads what it has written. */

import type { KernelSet } from "../kernel-set.js";
import { parseSpec, shapeOf, sizesOf, without } from "../letters.js";
import type { Kernels } from "./kernel.js";
import { offsetOf, places } from "./wgsl/index.js";
import { type Program, elementwise } from "./wgsl/shader.js";

export function createSolve(kernels: Kernels): KernelSet["solve"] {
  return (spec, row, column, transposed, l, b) => {
    const { operands, result } = parseSpec(spec);
    const sizes = sizesOf(operands, [l, b]);
    const shape = shapeOf(result, sizes);
    const key = `solve ${spec} ${row}${column} ${transposed} ${shape.join()}`;
    const program = kernels.program(key, () => {
      const [matrix, right] = operands as [string, string];
      return solveProgram(matrix, right, result, row, column, transposed, sizes);
    });
    return kernels.make(program, [l, b], shape);
  };
}

function solveProgram(
  matrix: string,
  right: string,
  result: string,
  row: string,
  column: string,
  transposed: boolean,
  sizes: Readonly<Record<string, number>>,
): Program {
  const sizeOf = (letter: string): number => sizes[letter]!;
  const n = sizeOf(row);
  const columns = without(result, row);
  const name = (at: Readonly<Record<string, string>>) => (letter: string) =>
    at[letter] ?? `at${letter}`;
  const inMatrix = (r: string, c: string): string =>
    offsetOf(matrix, sizeOf, name({ [row]: r, [column]: c }));
  const entry = transposed ? inMatrix("c", "r") : inMatrix("r", "c");
  const [first, condition] = transposed ? ["r + 1u", `c < ${n}u`] : ["0u", "c < r"];
  return elementwise({
    bindings: [
      { name: "l", element: "f32", access: "read" },
      { name: "b", element: "f32", access: "read" },
      { name: "y", element: "f32", access: "write" },
    ],
    count: [...columns].reduce((count, letter) => count * sizeOf(letter), 1),
    body: `${places("i", columns, sizeOf)}
for (var step = 0u; step < ${n}u; step++) {
let r = ${transposed ? `${n - 1}u - step` : "step"};
var total = b[${offsetOf(right, sizeOf, name({ [row]: "r" }))}];
for (var c = ${first}; ${condition}; c++) {
total += l[${entry}] * y[${offsetOf(result, sizeOf, name({ [row]: "c" }))}];
}
y[${offsetOf(result, sizeOf, name({ [row]: "r" }))}] = total;
}`,
  });
}
