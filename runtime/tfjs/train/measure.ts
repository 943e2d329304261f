/** Measuring a model on held-out rows: its loss, and how many of its likeliest predictions are right. */

import { accuracy, argmax } from "../../data/accuracy.js";
import { evaluationBatches } from "../../data/batches.js";
import type { Dataset } from "../../data/dataset.js";
import type { Backend } from "../backend.js";
import { batchTensors, freeBatch } from "./batch-tensors.js";
import type { TensorMap, Trainable } from "./trainable.js";

export interface Measured {
  /** Nats a prediction; NaN when nothing counted. */
  readonly loss: number;
  /** The share of right predictions; null when it was not asked for. */
  readonly accuracy: number | null;
  /** Predictions that counted. */
  readonly predictions: number;
}

export interface MeasureOptions {
  /** At most so many batches; default all rows once. */
  readonly batches?: number;
  /** Whether to count right predictions, for which all logits are read back. */
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
  for (const batch of evaluationBatches(dataset, trainable.batch, limit)) {
    const share = batch.weights!.reduce((sum, weight) => sum + weight, 0);
    if (share === 0) continue;
    const inputs = batchTensors(tf, batch);
    const result = trainable.evaluate(kernels, weights, inputs);
    freeBatch(inputs);
    loss += (await result.loss.data())[0]! * share;
    if (options.accuracy) {
      const logits = await result.prediction.data();
      right += accuracy(argmax(logits, trainable.vocabulary), batch).right;
    }
    result.loss.dispose();
    result.prediction.dispose();
    counted += share;
  }
  return {
    loss: loss / counted,
    accuracy: options.accuracy ? right / counted : null,
    predictions: counted,
  };
}
