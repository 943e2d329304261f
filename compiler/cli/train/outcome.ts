/** What a run came to, read off its `metrics.jsonl`. */

import { readMetrics } from "../../../runtime/run/metrics.node.js";
import { runFiles } from "../../../runtime/run/folder.node.js";
import { seriesOf } from "../../../runtime/run/series.js";
import type { Outcome } from "./comparison.js";

const recentSteps = 20; // what "the training loss" is the mean of

export async function outcomeOf(folder: string): Promise<Outcome> {
  const records = await readMetrics(runFiles(folder).metrics);
  const losses = seriesOf(records, "loss")
    .slice(-recentSteps)
    .map(([, loss]) => loss);
  const last = records.findLast(({ eval_loss }) => typeof eval_loss === "number");
  const figure = (name: string): number | null =>
    typeof last?.[name] === "number" ? last[name] : null;
  const [mse, mae] = [figure("mse"), figure("mae")];
  return {
    trainingLoss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
    heldOut: last
      ? {
          loss: figure("eval_loss")!,
          accuracy: figure("accuracy"),
          errors: mse === null || mae === null ? null : { mse, mae },
        }
      : null,
  };
}
