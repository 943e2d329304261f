/** Moves that exchange the innermost axes: planes to transpose, where the loop nest would gather floats one by one. */

import type { KernelFunction } from "../heap.js";
import { offsetsOf } from "../strides.js";
import type { TransposePlane } from "../transpose.js";
import type { Nest } from "./nest.js";

const Input = 0;
const Output = 1;

/** The kernel (input, output) for a nest of two operands; null where it has no plane worth it. */
export function planesOf({ axes }: Nest, transpose: TransposePlane): KernelFunction | null {
  const rows = axes.find((axis) => axis.strides[Output] === 1);
  const columns = axes.find((axis) => axis.strides[Input] === 1);
  if (!rows || !columns || rows === columns) return null;
  if (rows.strides[Input] === 0 || Math.min(rows.size, columns.size) < 4) return null;
  const rest = axes.filter((axis) => axis !== rows && axis !== columns);
  const [from, to] = [Input, Output].map((operand) => offsetsOf(rest, operand));
  const fromStride = 4 * rows.strides[Input]!;
  const toStride = 4 * columns.strides[Output]!;
  return (input, output) => {
    for (let i = 0; i < from!.length; i++)
      transpose(
        output! + 4 * to![i]!,
        input! + 4 * from![i]!,
        rows.size,
        columns.size,
        toStride,
        fromStride,
      );
  };
}
