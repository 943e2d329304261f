/** What the names in a function depend on: those of the forward pass, where it is of the backward pass. */

import type { BufferId, ProgramFunction } from "../../../ir/program.js";
import { type BaseContext, nameBuffers, noContext } from "./bases.js";
import { partnersOf } from "./partners.js";
import { forwardSteps } from "./passes.js";
import type { Plan } from "./plan.js";
import { isGradient, isResidual, residualIndex, type Result } from "./results.js";

export const savedOf = (forward: Plan): readonly Result[] =>
  forward.results.filter(({ path }) => path[0] === "saved");

/** For the backward function of a block. */
export function backwardContext(fn: ProgramFunction, forward: Plan): BaseContext {
  const saved = savedOf(forward);
  return {
    residuals: saved.map(({ buffer }) => forward.bases[buffer]!),
    partners: partnersOf(forward.fn, forward.bases, forwardBuffers(fn, forward, saved)),
    isBackward: () => true,
  };
}

/** For functions that begin forwards: the model's own has both passes. */
export function mainContext(fn: ProgramFunction): BaseContext {
  if (!fn.outputs.some(({ name }) => isGradient(name))) return noContext;
  const forward = forwardSteps(fn);
  const isForward = (step: number): boolean => forward.has(step);
  const partners = partnersOf(fn, nameBuffers(fn, noContext), (id) => id, isForward);
  return { residuals: [], partners, isBackward: (step) => !isForward(step) };
}

/** A backward function's residuals, inputs and parameters are buffers of its forward function. */
function forwardBuffers(
  fn: ProgramFunction,
  forward: Plan,
  saved: readonly Result[],
): (backward: BufferId) => BufferId | undefined {
  const known = new Map<BufferId, BufferId | undefined>();
  for (const { name, buffer } of fn.inputs)
    known.set(
      buffer,
      isResidual(name)
        ? saved[residualIndex(name)]?.buffer
        : forward.fn.inputs.find((input) => input.name === name)?.buffer,
    );
  for (const { path, buffer } of fn.parameters)
    known.set(buffer, forward.fn.parameters.find((one) => one.path === path)?.buffer);
  return (backward) => known.get(backward);
}
