/** h_t = a_t ∘ h_{t−1} + b_t, or max(a_t + h_{t−1}, b_t), one element's whole line after the other. */

import type { OpAttributes } from "../../compiler/ir/ops.js";
import { type TensorType, findAxis, withoutAxes } from "../../compiler/ir/types.js";
import { type Tensor, stridesFor, tensor, visit } from "./tensor.js";

export function linearScan(
  { axis, semiring, modulus, reverse }: OpAttributes["linear_scan"],
  [a, b, initial]: readonly Tensor[],
  [type]: readonly TensorType[],
): readonly Tensor[] {
  const out = tensor(type!.axes);
  const along = findAxis(type!, axis)!;
  const step = (x: Tensor): number => stridesFor(x.axes, [along])[0]!; // 0: the same at every step
  const [aStep, bStep, outStep] = [step(a!), step(b!), step(out)];
  visit(withoutAxes(type!.axes, [axis]), [out.axes, a!.axes, b!.axes, initial!.axes], (o) => {
    let h = initial!.data[o[3]!]!;
    for (let i = 0; i < along.size; i += 1) {
      const t = reverse ? along.size - 1 - i : i;
      const [at, bt] = [a!.data[o[1]! + t * aStep]!, b!.data[o[2]! + t * bStep]!];
      h = semiring === "plus-times" ? at * h + bt : Math.max(at + h, bt);
      if (modulus !== null) h -= modulus * Math.floor(h / modulus);
      out.data[o[0]! + t * outStep] = h;
    }
  });
  return [out];
}

/** The same for a state that restarts where a position is 0. */
export function stateScan(
  { axis, semiring, modulus, restart }: OpAttributes["state_scan"],
  [initial, positions, a, b]: readonly Tensor[],
  [type]: readonly TensorType[],
): readonly Tensor[] {
  const out = tensor(type!.axes);
  const along = findAxis(type!, axis)!;
  const step = (x: Tensor): number => stridesFor(x.axes, [along])[0]!;
  const [aStep, bStep, pStep, outStep] = [step(a!), step(b!), step(positions!), step(out)];
  const inputs = [initial!, positions!, a!, b!];
  visit(withoutAxes(type!.axes, [axis]), [out.axes, ...inputs.map(({ axes }) => axes)], (o) => {
    let h = initial!.data[o[1]!]!;
    for (let t = 0; t < along.size; t += 1) {
      if (positions!.data[o[2]! + t * pStep] === 0) h = restart;
      const [at, bt] = [a!.data[o[3]! + t * aStep]!, b!.data[o[4]! + t * bStep]!];
      h = semiring === "plus-times" ? at * h + bt : Math.max(at + h, bt);
      if (modulus !== null) h -= modulus * Math.floor(h / modulus);
      out.data[o[0]! + t * outStep] = h;
    }
  });
  return [out];
}
