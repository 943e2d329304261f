/** For what batches a model is compiled when nothing but looking at it is asked for. */

import type { Checked } from "../1-check/check.js";
import { type Model, timeOf } from "../1-check/model.js";

export interface BatchSizes {
  readonly batch: number;
  readonly time: number;
}

/** Those of the first training of the model; else of one sequence of a usual length, or of one of its windows. */
export function sizesFor({ trainings }: Checked, model: Model): BatchSizes {
  for (const { model: name, batch, accumulate, time } of trainings.values())
    if (name === model.name) return { batch: batch / accumulate, time };
  return { batch: 1, time: timeOf(model, 1024) };
}
