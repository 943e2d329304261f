/** Measuring a model on held-out rows: its loss, and how right its predictions are. */

import { accuracy, argmax } from "../../data/accuracy.js";
import { evaluationBatches } from "../../data/batches.js";
import type { Batch, Dataset } from "../../data/dataset.js";
import { type Errors, ErrorSum } from "../../data/series/errors.js";
import type { Backend } from "../backend.js";
import type { Recording } from "../recorder.js";
import { batchTensors, freeBatch, overwriteBatch } from "./batch-tensors.js";
import type {
  BatchTensors,
  EvaluationResult,
  TensorMap,
  Trainable,
  WindowTensors,
} from "./trainable.js";

export interface Measured {
  /** Nats a prediction; NaN when nothing counted. */
  readonly loss: number;
  /** The share of right predictions; null when it was not asked for, or of forecasts. */
  readonly accuracy: number | null;
  /** How wrong forecasts are; null for predictions of tokens. */
  readonly errors: Errors | null;
  /** Predictions that counted: tokens, or windows. */
  readonly predictions: number;
}

export interface MeasureOptions {
  /** At most so many batches; default all rows once. */
  readonly batches?: number;
  /** Whether to count right tokens, for which all logits are read back. */
  readonly accuracy: boolean;
}

export async function measure(
  backend: Backend,
  trainable: Trainable,
  weights: TensorMap,
  dataset: Dataset,
  options: MeasureOptions,
): Promise<Measured> {
  const limit = (options.batches ?? Infinity) * trainable.batch;
  let loss = 0;
  let counted = 0;
  let right = 0;
  const errors = new ErrorSum();
  let isForecast = false;
  const evaluator = evaluatorOf(backend, trainable, weights);
  for (const batch of evaluationBatches(dataset, trainable.batch, limit)) {
    const share = batch.weights!.reduce((sum, weight) => sum + weight, 0);
    if (share === 0) continue;
    const result = await evaluator.evaluate(batch);
    loss += (await result.loss.data())[0]! * share;
    if (batch.kind === "windows") {
      isForecast = true;
      addErrors(errors, await result.prediction.data(), batch);
    } else if (options.accuracy) {
      const logits = await result.prediction.data();
      right += accuracy(argmax(logits, trainable.vocabulary), batch).right;
    }
    evaluator.done(result);
    counted += share;
  }
  evaluator.free();
  return {
    loss: loss / counted,
    accuracy: options.accuracy && !isForecast ? right / counted : null,
    errors: isForecast ? errors.mean : null,
    predictions: counted,
  };
}

/** The errors of the windows that count. */
function addErrors(
  errors: ErrorSum,
  forecast: ArrayLike<number> & { subarray(from: number, to: number): ArrayLike<number> },
  { rows, future, weights }: Extract<Batch, { readonly kind: "windows" }>,
): void {
  const size = future.length / rows;
  for (let r = 0; r < rows; r++) {
    if (weights?.[r] === 0) continue;
    const place = [r * size, (r + 1) * size] as const;
    errors.add(forecast.subarray(...place), future.subarray(...place));
  }
}

interface Evaluator {
  /** The result is to be handed back by `done`. */
  evaluate(batch: Batch): Promise<EvaluationResult>;
  done(result: EvaluationResult): void;
  free(): void;
}

function evaluatorOf(
  { tf, kernels, recorder }: Backend,
  trainable: Trainable,
  weights: TensorMap,
): Evaluator {
  const release = ({ loss, prediction }: EvaluationResult): void => {
    loss.dispose();
    prediction.dispose();
  };
  if (!recorder)
    return {
      evaluate: (batch) => {
        const inputs = batchTensors(tf, batch);
        const result = trainable.evaluate(kernels, weights, inputs);
        freeBatch(inputs);
        return Promise.resolve(result);
      },
      done: release,
      free: () => undefined,
    };
  let made: {
    readonly inputs: BatchTensors | WindowTensors;
    readonly recording: Recording<EvaluationResult>;
  } | null = null;
  return {
    async evaluate(batch) {
      if (!made) {
        const inputs = batchTensors(tf, batch);
        const work = (): EvaluationResult => trainable.evaluate(kernels, weights, inputs);
        made = { inputs, recording: await recorder.record(work) };
      }
      overwriteBatch(recorder, made.inputs, batch);
      made.recording.run();
      return made.recording.result;
    },
    done: () => undefined,
    free() {
      if (!made) return;
      made.recording.free();
      release(made.recording.result);
      freeBatch(made.inputs);
    },
  };
}
