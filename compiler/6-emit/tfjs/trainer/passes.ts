/** Which steps of the model's own function are of the forward pass: those that the loss comes from. */

import type { ProgramFunction } from "../../../ir/program.js";
import { isGradient } from "./results.js";
import { inputsOf, outputsOf } from "./sections.js";

export function forwardSteps({
  outputs,
  updates,
  metrics,
  steps,
}: ProgramFunction): ReadonlySet<number> {
  const results = outputs.filter(({ name }) => !isGradient(name));
  const needed = new Set([...results, ...updates, ...metrics].map(({ buffer }) => buffer));
  const found = new Set<number>();
  for (let i = steps.length - 1; i >= 0; i -= 1) {
    if (!outputsOf(steps[i]!).some((id) => needed.has(id))) continue;
    found.add(i);
    for (const id of inputsOf(steps[i]!)) needed.add(id);
  }
  return found;
}
