/** Several runs of one program side by side. */

import { percent } from "../../../runtime/tfjs/train/report.js";
import type { RunResult } from "../../../runtime/tfjs/train/run.node.js";
import type { Training } from "../../1-check/blocks/training.js";
import type { Checked } from "../../1-check/check.js";
import { summarise } from "../../summary.js";
import { table } from "../table.js";

/** What a run came to, on whichever target. */
export interface Outcome {
  readonly trainingLoss: number;
  readonly heldOut: Omit<NonNullable<RunResult["heldOut"]>, "predictions"> | null;
}

export interface Run {
  readonly training: Training;
  readonly result: Outcome;
}

export function comparison({ models }: Checked, runs: readonly Run[]): string {
  const forecasts = runs.every(({ result }) => Boolean(result.heldOut?.errors));
  const measures = forecasts ? ["MSE", "MAE"] : ["held-out loss", "accuracy"];
  const head = ["", "parameters", "state bytes", "training loss", ...measures];
  const rows = runs.map(({ training, result: { trainingLoss, heldOut } }) => {
    const { parameters, stateBytes } = summarise(models.get(training.model)!, training.time);
    return [
      `${training.name}: ${training.model}`,
      parameters.toLocaleString("en-US"),
      stateBytes.toLocaleString("en-US"),
      trainingLoss.toFixed(3),
      ...measured(heldOut),
    ];
  });
  return table([head, ...rows]);
}

function measured(heldOut: Outcome["heldOut"]): string[] {
  const { loss, accuracy = null, errors = null } = heldOut ?? {};
  if (errors) return [errors.mse.toFixed(4), errors.mae.toFixed(4)];
  return [loss?.toFixed(3) ?? "", accuracy === null ? "" : percent(accuracy)];
}
