/** The mesh, the model and the step that are meant, planned. */

import type { Mesh, WrittenPlan } from "../1-check/blocks/mesh.js";
import type { Training } from "../1-check/blocks/training.js";
import type { Checked } from "../1-check/check.js";
import { type Model, timeOf } from "../1-check/model.js";
import type { Work } from "../4-place/placement.js";
import type { Plan } from "../plan.js";
import { Reporter } from "../diagnostics/report.js";
import { UsageError } from "./exit.js";
import { choose, chooseModel } from "./programs.js";
import { showDiagnostics, type Session } from "./session.js";
import { sizesOf } from "./sizes.js";

export interface Chosen {
  readonly mesh: Mesh;
  readonly plan: WrittenPlan;
  readonly model: Model;
  readonly work: Work;
}

/** By the name of a `parallel` block, or the only one; with its model, or that of the first training that fits. */
export async function chooseMesh(
  checked: Checked,
  parallel: string | undefined,
  modelName: string | undefined,
): Promise<Chosen> {
  const { meshes, trainings, models, path } = checked;
  if (meshes.size === 0)
    throw new UsageError(
      `${path} has no \`parallel\` block`,
      "write one: lsm explain mesh-product",
    );
  const mesh = choose("parallel", meshes, path, parallel);
  const { writtenPlan } = await import("../4-place/place.js");
  const { groupSize, meshShape, sequenceAxes } = await import("../4-place/mesh-shape.js");
  const plan = writtenPlan(mesh);
  if (plan === null)
    throw new UsageError(
      `\`${mesh.name}\` leaves its mesh to a search, which is not built yet`,
      "write a mesh: `mesh { dp_shard: 8 }`",
    );
  const shares = groupSize(meshShape(plan.axes), sequenceAxes);
  const { cp } = plan.axes;
  const fits = ({ batch, accumulate, time }: Training): boolean =>
    (batch / accumulate) % shares === 0 && time % cp === 0;
  const training = [...trainings.values()].find(
    (each) => fits(each) && (modelName === undefined || each.model === modelName),
  );
  const model = chooseModel(checked, modelName ?? (training && models.get(training.model)?.name));
  if (training !== undefined) {
    const { batch, time, packed } = sizesOf(training);
    const { accumulate: parts, precision } = training;
    return { mesh, plan, model, work: { batch, parts, time, packed, precision } };
  }
  const time = timeOf(model, cp * Math.ceil(1024 / cp));
  if (time % cp !== 0)
    throw new UsageError(
      `${time} tokens of a window cannot be cut into ${cp} parts`,
      "make `cp` 1",
    );
  const work = { batch: shares, parts: 1, time, packed: false, precision: "bf16" as const };
  return { mesh, plan, model, work };
}

/** Null when the model cannot be placed so, which is then shown. */
export async function planFor(
  { mesh, plan, model, work }: Chosen,
  checked: Checked,
  session: Session,
): Promise<Plan | null> {
  const { planOf } = await import("../plan.js");
  const planned = planOf(model, mesh, plan, work);
  if (planned.kind === "planned") return planned.plan;
  const { reportUncut } = await import("../sequence-forms.js");
  const reporter = new Reporter();
  for (const each of planned.uncut) reportUncut(each, model, mesh.name, checked, reporter);
  showDiagnostics(session, reporter.diagnostics, (source) => checked.sources.get(source) ?? null);
  return null;
}
