/** Learning the next token, of a text or a generated task: cross entropy beside what counting achieves. */

import type { OpenedTokens } from "../../../data/open.node.js";
import { measure } from "../measure.js";
import { dataRows, lossRows, percent, unitOf } from "../report.js";
import type { Task } from "./task.js";

const measuredBatches = 16; // of held-out data while the run goes on; at the end all of it

export function tokensTask(data: OpenedTokens): Task {
  const baselines = data.baselines();
  const unit = unitOf(data);
  return {
    data,
    about: dataRows(data, baselines),
    notes: {},
    unit: "nats per token",
    counted: baselines,
    baselines: () =>
      baselines
        ? [
            { name: "bigram model", loss: baselines.bigram },
            { name: "unigram model", loss: baselines.unigram },
          ]
        : [],
    measure: async ({ backend, trainable, weights }, when) => {
      if (!data.heldOut) return null;
      const options = {
        accuracy: data.tokenizer === null,
        ...(when === "on the way" && { batches: measuredBatches }),
      };
      return measure(backend, trainable, weights, data.heldOut, options);
    },
    note: ({ loss, accuracy }) => {
      const right = accuracy === null ? "" : `, accuracy ${percent(accuracy)}`;
      return `held-out loss ${loss.toFixed(3)}${right}`;
    },
    ending: (trainingLoss, heldOut) => lossRows({ trainingLoss, heldOut, baselines, unit }),
    finish: () => Promise.resolve({ files: [], lines: [] }),
  };
}
