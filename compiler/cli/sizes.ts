/** For what batches a model is compiled when nothing but looking at it is asked for. */

import type { Checked } from "../1-check/check.js";

export interface BatchSizes {
  readonly batch: number;
  readonly time: number;
}

/** Those of the first training of the model; else of one sequence of a usual length. */
export function sizesFor({ trainings }: Checked, model: string | undefined): BatchSizes {
  for (const training of trainings.values())
    if (model === undefined || training.model === model)
      return { batch: training.batch / training.accumulate, time: training.data.seq };
  return { batch: 1, time: 1024 };
}
