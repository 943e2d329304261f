/** A recurrence, step by step: the loop that graphs and programs share. */

import type { OpAttributes } from "../../compiler/ir/ops.js";
import type { Axis } from "../../compiler/ir/types.js";
import { type Tensor, sliceAt, tensor, visit, writeAt } from "./tensor.js";

/** (states, one position of each sequence, statics) → (new states, outputs) */
export type ScanStep = (values: readonly Tensor[]) => readonly Tensor[];

/**
 * Runs the loop of a `scan` along `axis`; `results` are the axes of what a step gives, states first.
 * Gives outputs (with the axis), final states, and the states before each step, after a reset.
 */
export function runScan(
  attributes: Omit<OpAttributes["scan"], "body">,
  inputs: readonly Tensor[],
  axis: Axis,
  results: readonly (readonly Axis[])[],
  step: ScanStep,
): readonly Tensor[] {
  const { states, sequences, resets, restart, reverse } = attributes;
  const flags = resets ? inputs[states]! : null;
  const first = states + (resets ? 1 : 0);
  const steps = inputs.slice(first, first + sequences);
  const statics = inputs.slice(first + sequences);
  const outputs = results.slice(states).map((axes) => tensor(along(axes, axis)));
  const befores = results.slice(0, states).map((axes) => tensor(along(axes, axis)));
  let current = inputs.slice(0, states);
  for (let i = 0; i < axis.size; i += 1) {
    const t = reverse ? axis.size - 1 - i : i;
    if (flags) {
      const flag = sliceAt(flags, axis.name, t);
      current = current.map((state, s) => reset(state, flag, restart[s]!));
    }
    current.forEach((state, s) => {
      writeAt(befores[s]!, axis.name, t, state);
    });
    const made = step([...current, ...steps.map((x) => sliceAt(x, axis.name, t)), ...statics]);
    current = made.slice(0, states);
    made.slice(states).forEach((value, k) => {
      writeAt(outputs[k]!, axis.name, t, value);
    });
  }
  return [...outputs, ...current, ...befores];
}

/** The axes with one more, after the batch. */
function along(axes: readonly Axis[], axis: Axis): Axis[] {
  const at = axes.findIndex(({ name }) => name === "batch") + 1;
  return [...axes.slice(0, at), axis, ...axes.slice(at)];
}

function reset(state: Tensor, flag: Tensor, restart: number): Tensor {
  const out = tensor(state.axes);
  let i = 0;
  visit(state.axes, [flag.axes], (o) => {
    out.data[i] = flag.data[o[0]!] !== 0 ? restart : state.data[i]!;
    i += 1;
  });
  return out;
}
