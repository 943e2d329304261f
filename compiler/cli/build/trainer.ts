/** A training of a checked program as the text of its trainer. */

import type { DataSpec } from "../../../runtime/data/open.node.js";
import { type TrainerInput, emitTrainer } from "../../6-emit/tfjs/trainer/emit-trainer.js";
import type { Data } from "../../1-check/blocks/data.js";
import type { Training } from "../../1-check/blocks/training.js";
import type { Checked } from "../../1-check/check.js";
import { type TrainingStages, compileTraining } from "../../compile.js";
import { sizesOf } from "../sizes.js";
import { type Overrides, settingsOf } from "../train/settings.js";

/** Where the trainer finds things, from its own folder. */
export interface TrainerPlace {
  readonly source: string; // the program
  readonly data: string; // where the data's relative paths start
}

/** What a caller may have at hand, or want otherwise. */
export interface TrainerChoices {
  readonly overrides?: Overrides;
  readonly programs?: TrainingStages; // the training, compiled
}

export async function trainerText(
  { models, text }: Pick<Checked, "models" | "text">,
  training: Training,
  { source, data }: TrainerPlace,
  { overrides = { steps: null, seed: null }, programs }: TrainerChoices = {},
): Promise<string> {
  const model = models.get(training.model)!;
  const sizes = sizesOf(training);
  const settings = settingsOf(training, overrides);
  const input: TrainerInput = {
    model,
    programs: programs ?? compileTraining(model, sizes),
    sizes,
    settings: { ...settings, data: specOf(settings.data) },
    source: { path: source, text },
    data,
  };
  return (await emitTrainer(input)).text;
}

/** Without what only the checked program says of it: its name and documentation. */
function specOf(data: DataSpec & Partial<Pick<Data, "name" | "doc">>): DataSpec {
  const { name: _name, doc: _doc, ...spec } = data;
  return spec;
}
