/** Several runs of one program side by side. */

import { percent } from "../../../runtime/tfjs/train/report.js";
import type { RunResult } from "../../../runtime/tfjs/train/run.node.js";
import type { Training } from "../../1-check/blocks/training.js";
import type { Checked } from "../../1-check/check.js";
import { summarise } from "../../summary.js";
import { table } from "../table.js";

export interface Run {
  readonly training: Training;
  readonly result: RunResult;
}

export function comparison({ models }: Checked, runs: readonly Run[]): string {
  const head = ["", "parameters", "state bytes", "training loss", "held-out loss", "accuracy"];
  const rows = runs.map(({ training, result: { trainingLoss, heldOut } }) => {
    const { parameters, stateBytes } = summarise(models.get(training.model)!, training.time);
    return [
      `${training.name}: ${training.model}`,
      parameters.toLocaleString("en-US"),
      stateBytes.toLocaleString("en-US"),
      trainingLoss.toFixed(3),
      heldOut?.loss.toFixed(3) ?? "",
      heldOut && heldOut.accuracy !== null ? percent(heldOut.accuracy) : "",
    ];
  });
  return table([head, ...rows]);
}
