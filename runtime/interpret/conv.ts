/** The short causal convolution and its two gradients: y[t] = Σⱼ w[j] · x[t−j] while j ≤ positions[t]. */

import { type TensorType, findAxis } from "../../compiler/ir/types.js";
import { type Tensor, stridesFor, tensor, visit } from "./tensor.js";

/** Visits every (output element, tap) whose source token is in the same document. */
function taps(
  axis: string,
  tap: string,
  y: Tensor,
  w: Tensor,
  x: Tensor,
  positions: Tensor,
  at: (y: number, w: number, x: number) => void,
): void {
  const count = findAxis({ dtype: "float", axes: w.axes }, tap)!.size;
  const [wStride] = stridesFor(w.axes, [{ name: tap, size: count }]);
  const [xStride] = stridesFor(x.axes, [{ name: axis, size: 1 }]);
  visit(y.axes, [y.axes, w.axes, x.axes, positions.axes], (o) => {
    for (let j = 0; j < count && j <= positions.data[o[3]!]!; j += 1)
      at(o[0]!, o[1]! + j * wStride!, o[2]! - j * xStride!);
  });
}

export function convolve(
  { axis, taps: tap }: { axis: string; taps: string },
  [x, w, positions]: readonly Tensor[],
  [type]: readonly TensorType[],
): readonly Tensor[] {
  const y = tensor(type!.axes);
  taps(
    axis,
    tap,
    y,
    w!,
    x!,
    positions!,
    (yi, wi, xi) => (y.data[yi]! += w!.data[wi]! * x!.data[xi]!),
  );
  return [y];
}

export function convolveInputGradient(
  { axis, taps: tap }: { axis: string; taps: string },
  [dy, w, positions]: readonly Tensor[],
  [type]: readonly TensorType[],
): readonly Tensor[] {
  const dx = tensor(type!.axes);
  taps(
    axis,
    tap,
    dy!,
    w!,
    dx,
    positions!,
    (yi, wi, xi) => (dx.data[xi]! += w!.data[wi]! * dy!.data[yi]!),
  );
  return [dx];
}

export function convolveWeightGradient(
  { axis, taps: tap }: { axis: string; taps: { name: string } },
  [x, dy, positions]: readonly Tensor[],
  [type]: readonly TensorType[],
): readonly Tensor[] {
  const dw = tensor(type!.axes);
  taps(
    axis,
    tap.name,
    dy!,
    dw,
    x!,
    positions!,
    (yi, wi, xi) => (dw.data[wi]! += x!.data[xi]! * dy!.data[yi]!),
  );
  return [dw];
}
