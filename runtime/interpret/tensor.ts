/** The interpreter's tensors: float64, dense, row-major in the order of their axes. */

import { type Axis, elementCount } from "../../compiler/ir/types.js";

export interface Tensor {
  readonly axes: readonly Axis[];
  readonly data: Float64Array;
}

export function tensor(axes: readonly Axis[], data?: Float64Array): Tensor {
  return { axes, data: data ?? new Float64Array(elementCount({ dtype: "float", axes })) };
}

/** Distance in `data` between neighbours along each of `loop`'s axes; 0 where the tensor lacks the axis. */
export function stridesFor(axes: readonly Axis[], loop: readonly Axis[]): number[] {
  const own = new Map<string, number>();
  let stride = 1;
  for (let i = axes.length - 1; i >= 0; i -= 1) {
    own.set(axes[i]!.name, stride);
    stride *= axes[i]!.size;
  }
  return loop.map((axis) => own.get(axis.name) ?? 0);
}

/** Visits every point of `loop` in row-major order with the offset of each operand. */
export function visit(
  loop: readonly Axis[],
  operands: readonly (readonly Axis[])[],
  at: (offsets: Int32Array) => void,
): void {
  const strides = operands.map((axes) => stridesFor(axes, loop));
  const offsets = new Int32Array(operands.length);
  const index = new Int32Array(loop.length);
  if (loop.some((axis) => axis.size === 0)) return;
  for (;;) {
    at(offsets);
    let d = loop.length - 1;
    for (; d >= 0; d -= 1) {
      index[d]! += 1;
      const size = loop[d]!.size;
      for (let o = 0; o < offsets.length; o += 1) offsets[o]! += strides[o]![d]!;
      if (index[d]! < size) break;
      for (let o = 0; o < offsets.length; o += 1) offsets[o]! -= strides[o]![d]! * size;
      index[d] = 0;
    }
    if (d < 0) return;
  }
}

/** A view of one position along an axis, copied. */
export function sliceAt(x: Tensor, axis: string, position: number): Tensor {
  const rest = x.axes.filter((a) => a.name !== axis);
  const out = tensor(rest);
  const start = position * stridesFor(x.axes, x.axes)[x.axes.findIndex((a) => a.name === axis)]!;
  let i = 0;
  visit(rest, [x.axes], (o) => {
    out.data[i] = x.data[start + o[0]!]!;
    i += 1;
  });
  return out;
}

/** Writes `x` at one position along an axis of `into`. */
export function writeAt(into: Tensor, axis: string, position: number, x: Tensor): void {
  const start =
    position * stridesFor(into.axes, into.axes)[into.axes.findIndex((a) => a.name === axis)]!;
  visit(x.axes, [into.axes, x.axes], (o) => {
    into.data[start + o[0]!] = x.data[o[1]!]!;
  });
}
