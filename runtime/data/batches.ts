/** Batches: rows of a data set side by side, in an order that one number describes. */

import { RunError } from "../run/errors.js";
import type { Batch, Dataset } from "./dataset.js";

export type { Batch, TokenBatch, WindowBatch } from "./dataset.js";

/** Draws batches one after the other. `position`, the number of rows drawn so far, is its whole state. */
export class BatchStream<B extends Batch = Batch> {
  #position: number;

  /**
   * @param rows sequences in a batch
   * @param position where to go on: what `position` said when the checkpoint was written
   */
  constructor(
    readonly dataset: Dataset<B>,
    readonly rows: number,
    position = 0,
  ) {
    if (!Number.isSafeInteger(position) || position < 0) {
      throw new RunError({
        code: "bad-data-position",
        what: `a data position is a whole number from 0, and ${position} is not`,
        where: "the data stream",
        help: "take the position from a checkpoint as it is",
      });
    }
    this.#position = position;
  }

  get position(): number {
    return this.#position;
  }

  next(): B {
    const { dataset, rows } = this;
    const position = this.#position;
    this.#position += rows;
    return dataset.read(position, rows, rows, dataset.weighted);
  }
}

/**
 * The data set's rows from 0 in order, each once: for measuring. All batches have the same size and have weights; the
 * last is filled up with rows that do not count.
 *
 * @param limit at most so many rows; default all of an epoch
 */
export function* evaluationBatches<B extends Batch>(
  dataset: Dataset<B>,
  rows: number,
  limit = Infinity,
): Generator<B> {
  const total = Math.min(limit, dataset.rowsPerEpoch);
  for (let position = 0; position < total; position += rows) {
    yield dataset.read(position, rows, Math.min(rows, total - position), true);
  }
}
