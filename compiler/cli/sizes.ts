/** For what batches a model is compiled: those of its training, or usual ones where it is only looked at. */

import type { Training } from "../1-check/blocks/training.js";
import type { Checked } from "../1-check/check.js";
import { type Model, timeOf } from "../1-check/model.js";

export interface BatchSizes {
  readonly batch: number;
  readonly time: number;
  readonly packed: boolean; // a row may hold several documents
}

export function sizesOf({ batch, accumulate, time, data }: Training): BatchSizes {
  const packed = data.kind === "text" && data.pack;
  return { batch: batch / accumulate, time, packed };
}

/** Those of the first training of the model; else of one sequence of a usual length, or of one of its windows. */
export function sizesFor({ trainings }: Checked, model: Model): BatchSizes {
  for (const training of trainings.values())
    if (training.model === model.name) return sizesOf(training);
  return { batch: 1, time: timeOf(model, 1024), packed: false };
}
