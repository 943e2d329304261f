/** Compiles a training, and says what was compiled. */

import { row } from "../../../runtime/tfjs/train/report.js";
import type { Trainable } from "../../../runtime/tfjs/train/trainable.js";
import type { Training } from "../../1-check/blocks/training.js";
import type { Model } from "../../1-check/model.js";
import { trainableFromPrograms } from "../../6-emit/tfjs/interpreted.js";
import { reportText } from "../../3-derive/forms/report.js";
import { type TrainingStages, compileTraining } from "../../compile.js";
import { sizesOf } from "../sizes.js";
import { parameterCounts } from "../../summary.js";

/** The first lines of a run: what the model is, and how its recurrences run. */
export function prepare(model: Model, stages: TrainingStages): string[] {
  return [modelRow(model), ...recurrenceRows(stages)];
}

/** A model for the batches of a training. */
export function trainableFor(model: Model, training: Training): Trainable {
  const sizes = sizesOf(training);
  const { name, vocabulary } = model;
  const stages = compileTraining(model, sizes);
  return trainableFromPrograms({ name, vocabulary: vocabulary ?? 0, ...sizes, ...stages });
}

function modelRow(model: Model): string {
  const { parameters, activated } = parameterCounts(model);
  const all = parameters.toLocaleString("en-US");
  const some = activated.toLocaleString("en-US");
  const counts =
    parameters === activated
      ? `${all} parameters`
      : `${all} parameters, ${some} activated for a token`;
  return row("model", `${model.name}, ${counts}`);
}

function recurrenceRows({ recurrences }: TrainingStages): string[] {
  return recurrences.map((report) =>
    row("recurrence", `${report.state} in ${report.function}: ${reportText(report)}`),
  );
}
