/** A batch as tensors. */

import type { Batch } from "../../data/batches.js";
import type { Tf } from "../generic/context.js";
import type { BatchTensors } from "./trainable.js";

/** The caller frees them with `freeBatch`. */
export function batchTensors(tf: Tf, batch: Batch): BatchTensors {
  const shape: [number, number] = [batch.rows, batch.seq];
  const weights = batch.weights ?? new Float32Array(batch.tokens.length).fill(1);
  return {
    tokens: tf.tensor2d(batch.tokens, shape, "int32"),
    targets: tf.tensor2d(batch.targets, shape, "int32"),
    weights: tf.tensor2d(weights, shape, "float32"),
    positions: tf.tensor2d(positionsOf(batch), shape, "float32"),
  };
}

export function freeBatch({ tokens, targets, weights, positions }: BatchTensors): void {
  for (const tensor of [tokens, targets, weights, positions]) tensor.dispose();
}

/**
 * Every token's place in its document, counted from where the row or the document begins: nothing is carried
 * into a row, so a document that began in another row begins anew.
 */
export function positionsOf({ documents, seq }: Batch): Float32Array<ArrayBuffer> {
  const positions = new Float32Array(documents.length);
  for (let i = 0; i < documents.length; i++) {
    const starts = i % seq === 0 || documents[i] !== documents[i - 1];
    positions[i] = starts ? 0 : positions[i - 1]! + 1;
  }
  return positions;
}
