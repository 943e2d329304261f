/** Which part of its block a step belongs to, for the one-line headers in long functions. */

import type { BufferId, ProgramFunction, Step } from "../../../ir/program.js";

/**
 * The first segment of the parameters that a step uses; else the part of what it computes something for,
 * when that is one thing; else the part of what it is made from. `calls` names the part of calls.
 */
export function sectionsOf(
  fn: ProgramFunction,
  calls: (step: Extract<Step, { kind: "call" }>) => string,
): readonly (string | null)[] {
  const parts = new Map(fn.parameters.map(({ path, buffer }) => [buffer, path.split(".")[0]!]));
  const sections = fn.steps.map((step): string | null => {
    if (step.kind === "call") return calls(step);
    if (step.kind !== "run") return null;
    return (
      step.inputs.map(({ buffer }) => parts.get(buffer)).find((part) => part !== undefined) ?? null
    );
  });
  const users = new Map<BufferId, number[]>();
  const makers = new Map<BufferId, number>();
  fn.steps.forEach((step, i) => {
    for (const id of inputsOf(step)) users.set(id, [...(users.get(id) ?? []), i]);
    for (const id of outputsOf(step)) makers.set(id, i);
  });
  for (let i = fn.steps.length - 1; i >= 0; i -= 1) {
    if (sections[i] !== null) continue;
    const [user, another] = outputsOf(fn.steps[i]!).flatMap((id) => users.get(id) ?? []);
    if (user !== undefined && another === undefined) sections[i] = sections[user]!;
  }
  fn.steps.forEach((step, i) => {
    if (sections[i] !== null) return;
    const from = inputsOf(step).map((id) => sections[makers.get(id) ?? -1] ?? null);
    sections[i] = from.findLast((section) => section !== null) ?? null;
  });
  return sections;
}

function inputsOf(step: Step): readonly BufferId[] {
  if (step.kind === "run") return step.inputs.map(({ buffer }) => buffer);
  return step.kind === "call" ? step.inputs : [];
}

function outputsOf(step: Step): readonly BufferId[] {
  if (step.kind === "run") return step.outputs.flatMap((output) => (output ? [output.buffer] : []));
  return step.kind === "call" ? step.outputs.filter((id) => id !== null) : [];
}
