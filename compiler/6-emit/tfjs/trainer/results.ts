/** What a call of an emitted function gives, and under which names. */

import type { BufferId, ProgramFunction } from "../../../ir/program.js";
import { Names, identifier } from "./names.js";

const residualPrefix = "residual.";
const gradientPrefix = "grad.";

/** Outputs of a forward function that its backward function takes. */
export const isResidual = (name: string): boolean => name.startsWith(residualPrefix);
export const residualIndex = (name: string): number => Number(name.slice(residualPrefix.length));
export const isGradient = (name: string): boolean => name.startsWith(gradientPrefix);
export const gradientPath = (name: string): string => name.slice(gradientPrefix.length);

export interface Result {
  readonly buffer: BufferId;
  /** Where it is in the object that a call gives; nowhere: it is what a call gives. */
  readonly path: readonly string[];
}

/** Fields of a call's result: outputs by name, residuals in `saved`, gradients in `weights`, `updates`, `metrics`. */
export function resultsOf(
  fn: ProgramFunction,
  expressions: ReadonlyMap<BufferId, string>,
): Result[] {
  const fields = new Names();
  const saved = new Names();
  const outputs = fn.outputs.map(({ name, buffer }): Result => {
    if (isGradient(name)) return { buffer, path: ["weights", gradientPath(name)] };
    if (!isResidual(name)) return { buffer, path: [fields.unique(name)] };
    const own = identifier(expressions.get(buffer)!.replace(".saved.", "_"));
    return { buffer, path: ["saved", saved.unique(own)] };
  });
  const penalties = fn.penalties.map(({ name, buffer }) => ({
    buffer,
    path: [fields.unique(name)],
  }));
  const updates = fn.updates.map(({ path, buffer }) => ({ buffer, path: ["updates", path] }));
  const metrics = fn.metrics.map(({ name, buffer }) => ({ buffer, path: ["metrics", name] }));
  const all = [...outputs, ...penalties, ...updates, ...metrics];
  return all.length === 1 && all[0]!.path.length === 1 ? [{ ...all[0]!, path: [] }] : all;
}
