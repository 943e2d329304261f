/** Measures a checkpoint on the held-out data of the training that made it. */

import { readFileSync } from "node:fs";
import { openData } from "../../runtime/data/open.node.js";
import { RunError } from "../../runtime/run/errors.js";
import { runFiles, runFolderOf } from "../../runtime/run/folder.node.js";
import { type BackendName, chooseBackend } from "../../runtime/tfjs/backend.js";
import { measure } from "../../runtime/tfjs/train/measure.js";
import { lossText, percent, row, unitOf } from "../../runtime/tfjs/train/report.js";
import { freeTensors, loadWeights } from "../../runtime/tfjs/train/state.js";
import type { Training } from "../1-check/blocks/training.js";
import type { TrainedModel } from "./checkpoints.js";
import { UsageError } from "./exit.js";
import { compiledFor } from "./train/prepare.js";

export interface Evaluation {
  readonly checkpoint: string;
  readonly model: string;
  readonly step: number;
  readonly backend: string;
  readonly data: string;
  /** Nats a prediction, in all of these; baselines are null for generated data. */
  readonly loss: number;
  readonly bigram: number | null;
  readonly unigram: number | null;
  readonly unit: string;
  /** The share of predictions whose likeliest token is right. */
  readonly accuracy: number;
  readonly predictions: number;
}

export async function evaluateCheckpoint(
  trained: TrainedModel,
  backendName: BackendName | undefined,
): Promise<Evaluation> {
  const { path, checkpoint, model } = trained;
  const training = trainingOf(trained);
  const seed = checkpoint.data?.seed ?? training.seed;
  const data = await openData(training.data, baseOf(path), seed);
  if (!data.heldOut)
    throw new RunError({
      code: "nothing-held-out",
      what: "its data holds nothing out to measure on",
      where: `data ${training.data.name}`,
      help: "train with `held_out` above 0",
    });
  const backend = await chooseBackend(backendName);
  const trainable = compiledFor(model, training).trainable;
  const weights = loadWeights(backend.tf, trainable.parameters, checkpoint.weights, path);
  const measured = await measure(backend, trainable, weights, data.heldOut, { accuracy: true });
  freeTensors(weights);
  const baselines = data.baselines();
  return {
    checkpoint: path,
    model: model.name,
    step: checkpoint.step,
    backend: backend.name,
    data: data.summary,
    loss: measured.loss,
    bigram: baselines?.bigram ?? null,
    unigram: baselines?.unigram ?? null,
    unit: unitOf(data),
    accuracy: measured.accuracy!,
    predictions: measured.predictions,
  };
}

export function evaluationLines(evaluation: Evaluation): string[] {
  const { checkpoint, model, step, data, loss, bigram, unigram, unit, accuracy } = evaluation;
  const predictions = evaluation.predictions.toLocaleString("en-US");
  return [
    row("checkpoint", `${checkpoint}, step ${step}`),
    row("model", model),
    row("data", data),
    row(
      "loss",
      lossText(
        [
          ["held out", loss],
          ["bigram model", bigram],
          ["unigram model", unigram],
        ],
        unit,
      ),
    ),
    row("accuracy", `${percent(accuracy)} of ${predictions} held-out predictions`),
  ];
}

function trainingOf({ checkpoint, checked, path }: TrainedModel): Training {
  const { trainings } = checked;
  const training = trainings.get(checkpoint.train ?? "");
  if (training) return training;
  throw new UsageError(`${path} does not say what it was trained on`);
}

/** Relative paths of the data start where they did in training, if its run's folder still says so. */
function baseOf(checkpoint: string): string {
  try {
    const text = readFileSync(runFiles(runFolderOf(checkpoint)).config, "utf8");
    const { base } = JSON.parse(text) as { readonly base?: unknown };
    if (typeof base === "string") return base;
  } catch {
    // a checkpoint on its own: paths start from here
  }
  return process.cwd();
}
