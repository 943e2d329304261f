/** Measures a checkpoint on the held-out data of the training that made it. */

import { readFileSync } from "node:fs";
import { type OpenedTokens, openData } from "../../runtime/data/open.node.js";
import { errorsOf } from "../../runtime/data/series/baselines.js";
import type { Errors } from "../../runtime/data/series/errors.js";
import type { OpenedSeries } from "../../runtime/data/series/opened.js";
import { type Windows, measuringWindows } from "../../runtime/data/series/windows.js";
import { RunError } from "../../runtime/run/errors.js";
import { runFiles, runFolderOf } from "../../runtime/run/folder.node.js";
import { type BackendName, chooseBackend } from "../../runtime/tfjs/backend.js";
import { measure } from "../../runtime/tfjs/train/measure.js";
import { lossText, percent, row, unitOf } from "../../runtime/tfjs/train/report.js";
import { shown } from "../../runtime/tfjs/train/tasks/series.js";
import type { Trained } from "../../runtime/tfjs/train/tasks/task.js";
import { freeTensors, loadWeights } from "../../runtime/tfjs/train/state.js";
import type { Training } from "../1-check/blocks/training.js";
import type { TrainedModel } from "./checkpoints.js";
import { UsageError } from "./exit.js";
import { trainableFor } from "./train/prepare.js";

export type Evaluation = TokenEvaluation | SeriesEvaluation;

interface Measurement {
  readonly checkpoint: string;
  readonly model: string;
  readonly step: number;
  readonly backend: string;
  readonly data: string;
}

export interface TokenEvaluation extends Measurement {
  readonly kind: "tokens";
  /** Nats a prediction, in all of these; baselines are null for generated data. */
  readonly loss: number;
  readonly bigram: number | null;
  readonly unigram: number | null;
  readonly unit: string;
  /** The share of predictions whose likeliest token is right. */
  readonly accuracy: number;
  readonly predictions: number;
}

/** Errors of standardised values; those of a part of the series are null where it has no window. */
export interface SeriesEvaluation extends Measurement {
  readonly kind: "series";
  readonly validation: PartErrors | null;
  readonly test: PartErrors | null;
}

export interface PartErrors {
  readonly windows: number;
  readonly model: Errors;
  readonly linear: Errors;
  readonly last: Errors;
}

export async function evaluateCheckpoint(
  trained: TrainedModel,
  backendName: BackendName | undefined,
): Promise<Evaluation> {
  const { path, checkpoint, model } = trained;
  const training = trainingOf(trained);
  const seed = checkpoint.data?.seed ?? training.seed;
  const data = await openData(training.data, baseOf(path), seed);
  const backend = await chooseBackend(backendName);
  const trainable = trainableFor(model, training);
  const weights = loadWeights(backend.tf, trainable.parameters, checkpoint.weights, path);
  const about = {
    checkpoint: path,
    model: model.name,
    step: checkpoint.step,
    backend: backend.name,
    data: data.summary,
  };
  const trainedModel = { backend, trainable, weights };
  const evaluation =
    data.kind === "series"
      ? await evaluateSeries(data, trainedModel, about)
      : await evaluateTokens(data, trainedModel, about, training);
  freeTensors(weights);
  return evaluation;
}

async function evaluateTokens(
  data: OpenedTokens,
  { backend, trainable, weights }: Trained,
  about: Measurement,
  training: Training,
): Promise<TokenEvaluation> {
  if (!data.heldOut)
    throw new RunError({
      code: "nothing-held-out",
      what: "its data holds nothing out to measure on",
      where: `data ${training.data.name}`,
      help: "train with `held_out` above 0",
    });
  const measured = await measure(backend, trainable, weights, data.heldOut, { accuracy: true });
  const baselines = data.baselines();
  return {
    kind: "tokens",
    ...about,
    loss: measured.loss,
    bigram: baselines?.bigram ?? null,
    unigram: baselines?.unigram ?? null,
    unit: unitOf(data),
    accuracy: measured.accuracy!,
    predictions: measured.predictions,
  };
}

async function evaluateSeries(
  data: OpenedSeries,
  { backend, trainable, weights }: Trained,
  about: Measurement,
): Promise<SeriesEvaluation> {
  const { linear, repeat } = data.baselines();
  const measured = async (windows: Windows | null): Promise<PartErrors | null> => {
    if (!windows) return null;
    const options = { accuracy: false };
    const dataset = measuringWindows(windows);
    const { errors } = await measure(backend, trainable, weights, dataset, options);
    return {
      windows: dataset.rowsPerEpoch,
      model: errors!,
      linear: errorsOf(windows, linear),
      last: errorsOf(windows, repeat),
    };
  };
  const { validation, test } = data.parts;
  return {
    kind: "series",
    ...about,
    validation: await measured(validation),
    test: await measured(test),
  };
}

export function evaluationLines(evaluation: Evaluation): string[] {
  const { checkpoint, model, step, data } = evaluation;
  return [
    row("checkpoint", `${checkpoint}, step ${step}`),
    row("model", model),
    row("data", data),
    ...(evaluation.kind === "series" ? seriesLines(evaluation) : tokenLines(evaluation)),
  ];
}

function seriesLines({ validation, test }: SeriesEvaluation): string[] {
  return Object.entries({ validation, test }).flatMap(([name, part]) => {
    if (!part) return [];
    const { windows, model, linear, last } = part;
    return [
      row(name, `${shown(model)} of ${windows.toLocaleString("en-US")} windows, standardised`),
      row("", `linear map ${shown(linear)}; last value ${shown(last)}`),
    ];
  });
}

function tokenLines(evaluation: TokenEvaluation): string[] {
  const { loss, bigram, unigram, unit, accuracy } = evaluation;
  const predictions = evaluation.predictions.toLocaleString("en-US");
  return [
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
