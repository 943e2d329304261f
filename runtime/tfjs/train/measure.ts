/** Measuring a model on held-out rows: its loss, and how right its predictions are. */

import { accuracy, argmax } from "../../data/accuracy.js";
import { evaluationBatches } from "../../data/batches.js";
import type { Batch, Dataset } from "../../data/dataset.js";
import { type Errors, ErrorSum } from "../../data/series/errors.js";
import type { Backend } from "../backend.js";
import { batchTensors, freeBatch } from "./batch-tensors.js";
import type { TensorMap, Trainable } from "./trainable.js";

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
  { tf, kernels }: Backend,
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
  for (const batch of evaluationBatches(dataset, trainable.batch, limit)) {
    const share = batch.weights!.reduce((sum, weight) => sum + weight, 0);
    if (share === 0) continue;
    const inputs = batchTensors(tf, batch);
    const result = trainable.evaluate(kernels, weights, inputs);
    freeBatch(inputs);
    loss += (await result.loss.data())[0]! * share;
    if (batch.kind === "windows") {
      isForecast = true;
      addErrors(errors, await result.prediction.data(), batch);
    } else if (options.accuracy) {
      const logits = await result.prediction.data();
      right += accuracy(argmax(logits, trainable.vocabulary), batch).right;
    }
    result.loss.dispose();
    result.prediction.dispose();
    counted += share;
  }
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
