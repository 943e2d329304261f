/** Mistakes that only placing shows: recurrences that a mesh's cp cannot cut. For checks, behind phase 1. */

import type { Checked } from "./1-check/check.js";
import { settingSpan } from "./1-check/blocks/lookup.js";
import { type Model, timeOf } from "./1-check/model.js";
import { groupSize, meshShape, sequenceAxes } from "./4-place/mesh-shape.js";
import { localSizes, writtenPlan } from "./4-place/place.js";
import { type Known, type Uncut, uncutRecurrences } from "./4-place/uncut.js";
import type { Diagnostic } from "./diagnostics/diagnostic.js";
import { messages } from "./diagnostics/messages.generated.js";
import { Reporter } from "./diagnostics/report.js";

/** Of every mesh and every model that it is for; nothing of programs that have other mistakes. `known`: of earlier checks. */
export function sequenceFormMistakes(checked: Checked, known?: Known): readonly Diagnostic[] {
  const { meshes, diagnostics, models, trainings } = checked;
  if (diagnostics.some(({ severity }) => severity === "error")) return [];
  const reporter = new Reporter();
  const trained = new Set([...trainings.values()].map(({ model }) => model));
  const concerned = [...models.values()].filter(
    ({ name }) => trained.size === 0 || trained.has(name),
  );
  for (const mesh of meshes.values()) {
    const plan = writtenPlan(mesh);
    if (plan === null || plan.axes.cp === 1) continue;
    const shape = meshShape(plan.axes);
    const batch = groupSize(shape, sequenceAxes);
    for (const model of concerned) {
      const time = timeOf(model, plan.axes.cp);
      if (time % plan.axes.cp !== 0) continue;
      const local = localSizes(shape, { batch, time, packed: false });
      for (const each of uncutRecurrences(model, local, known))
        reportUncut(each, model, mesh.name, checked, reporter);
    }
  }
  return reporter.diagnostics;
}

/** At the state, with the reason, and where the mesh cuts sequences. */
export function reportUncut(
  { block, label, reason }: Uncut,
  { module }: Model,
  mesh: string,
  { declarations }: Checked,
  reporter: Reporter,
): void {
  const names = label.split(", ");
  const state = module.functions.get(block)?.states.find(({ name }) => names.includes(name));
  const cut = settingSpan(declarations, "parallel", mesh, "sequence");
  reporter.report(messages.noSequenceForm({ state: label, block }), [
    ...(state?.span ? [{ span: state.span, text: reason }] : []),
    ...(cut === null ? [] : [{ span: cut, text: "sequences are cut here" }]),
  ]);
}
