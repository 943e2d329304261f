/** Headers of the model's own functions: the part of the model, and whether forwards or backwards. */

import type { BufferId, ProgramFunction, Step } from "../../../ir/program.js";

/** Titles for the steps of a gradient program: those that the loss does not come from are backward. */
export function mainHeader(fn: ProgramFunction): (section: string, step: number) => string {
  const forward = stepsTowards(fn, [
    ...fn.outputs.filter(({ name }) => !name.startsWith("grad.")),
    ...fn.updates,
  ]);
  return (section, step) => (forward.has(step) ? section : `${section}, backward`);
}

function stepsTowards(
  { steps }: ProgramFunction,
  results: readonly { readonly buffer: BufferId }[],
): ReadonlySet<number> {
  const needed = new Set(results.map(({ buffer }) => buffer));
  const found = new Set<number>();
  for (let i = steps.length - 1; i >= 0; i -= 1) {
    const { inputs, outputs } = ends(steps[i]!);
    if (!outputs.some((id) => needed.has(id))) continue;
    found.add(i);
    for (const id of inputs) needed.add(id);
  }
  return found;
}

function ends(step: Step): { readonly inputs: BufferId[]; readonly outputs: BufferId[] } {
  if (step.kind === "run")
    return {
      inputs: step.inputs.map(({ buffer }) => buffer),
      outputs: step.outputs.flatMap((output) => (output ? [output.buffer] : [])),
    };
  if (step.kind === "call")
    return { inputs: [...step.inputs], outputs: step.outputs.filter((id) => id !== null) };
  return { inputs: [], outputs: [] };
}
