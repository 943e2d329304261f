/** A batch as tensors. */

import type { Batch, TokenBatch, WindowBatch } from "../../data/batches.js";
import type { Tf } from "../generic/context.js";
import type { BatchTensors, WindowTensors } from "./trainable.js";

/** The caller frees them with `freeBatch`. */
export function batchTensors(tf: Tf, batch: Batch): BatchTensors | WindowTensors {
  return batch.kind === "tokens" ? tokenTensors(tf, batch) : windowTensors(tf, batch);
}

function tokenTensors(tf: Tf, batch: TokenBatch): BatchTensors {
  const shape: [number, number] = [batch.rows, batch.seq];
  const weights = batch.weights ?? new Float32Array(batch.tokens.length).fill(1);
  return {
    tokens: tf.tensor2d(batch.tokens, shape, "int32"),
    targets: tf.tensor2d(batch.targets, shape, "int32"),
    weights: tf.tensor2d(weights, shape, "float32"),
    positions: tf.tensor2d(positionsOf(batch), shape, "float32"),
  };
}

function windowTensors(tf: Tf, batch: WindowBatch): WindowTensors {
  const { rows, seq, series, future, shapes } = batch;
  const weights = batch.weights ?? new Float32Array(rows).fill(1);
  const positions = Float32Array.from({ length: rows * seq }, (_, i) => i % seq);
  return {
    series: tf.tensor(series, [rows, ...shapes.series], "float32"),
    future: tf.tensor(future, [rows, ...shapes.future], "float32"),
    weights: tf.tensor1d(weights, "float32"),
    positions: tf.tensor2d(positions, [rows, seq], "float32"),
  };
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
