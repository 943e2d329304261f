/** A batch as tensors. */

import type { Batch, TokenBatch, WindowBatch } from "../../data/batches.js";
import type { Tf } from "../generic/context.js";
import type { Recorder } from "../recorder.js";
import type { BatchTensors, WindowTensors } from "./trainable.js";

/** The caller frees them with `freeBatch`. */
export function batchTensors(tf: Tf, batch: Batch): BatchTensors | WindowTensors {
  return batch.kind === "tokens" ? tokenTensors(tf, batch) : windowTensors(tf, batch);
}

function tokenTensors(tf: Tf, batch: TokenBatch): BatchTensors {
  const shape: [number, number] = [batch.rows, batch.seq];
  const { tokens, targets, weights, positions } = tokenValues(batch);
  return {
    tokens: tf.tensor2d(tokens, shape, "int32"),
    targets: tf.tensor2d(targets, shape, "int32"),
    weights: tf.tensor2d(weights, shape, "float32"),
    positions: tf.tensor2d(positions, shape, "float32"),
  };
}

/** What the tensors of a batch hold. */
function tokenValues(batch: TokenBatch) {
  const { tokens, targets } = batch;
  const weights = batch.weights ?? new Float32Array(tokens.length).fill(1);
  return { tokens, targets, weights, positions: positionsOf(batch) };
}

function windowTensors(tf: Tf, batch: WindowBatch): WindowTensors {
  const { rows, seq, shapes } = batch;
  const { series, future, weights, positions } = windowValues(batch);
  return {
    series: tf.tensor(series, [rows, ...shapes.series], "float32"),
    future: tf.tensor(future, [rows, ...shapes.future], "float32"),
    weights: tf.tensor1d(weights, "float32"),
    positions: tf.tensor2d(positions, [rows, seq], "float32"),
  };
}

function windowValues({ rows, seq, series, future, weights }: WindowBatch) {
  return {
    series,
    future,
    weights: weights ?? new Float32Array(rows).fill(1),
    positions: Float32Array.from({ length: rows * seq }, (_, i) => i % seq),
  };
}

/** A batch of the same kind and size into the tensors of another. */
export function overwriteBatch(
  recorder: Recorder,
  tensors: BatchTensors | WindowTensors,
  batch: Batch,
): void {
  const values: Readonly<Record<string, Float32Array | Int32Array>> =
    batch.kind === "tokens" ? tokenValues(batch) : windowValues(batch);
  for (const [name, tensor] of Object.entries(tensors)) recorder.overwrite(tensor, values[name]!);
}

export function freeBatch(batch: BatchTensors | WindowTensors): void {
  for (const tensor of Object.values(batch)) tensor.dispose();
}

/**
 * Every token's place in its document, counted from where the row or the document begins: nothing is carried
 * into a row, so a document that began in another row begins anew.
 */
export function positionsOf({ documents, seq }: TokenBatch): Float32Array<ArrayBuffer> {
  const positions = new Float32Array(documents.length);
  for (let i = 0; i < documents.length; i++) {
    const starts = i % seq === 0 || documents[i] !== documents[i - 1];
    positions[i] = starts ? 0 : positions[i - 1]! + 1;
  }
  return positions;
}
