/** Batches: rows of a data set side by side, in an order that one number describes. */

import { RunError } from "../run/errors.js";
import type { Dataset } from "./dataset.js";

/** `rows` sequences of `seq` positions; every array has rows * seq elements, row after row. */
export interface Batch {
  readonly rows: number;
  readonly seq: number;
  readonly tokens: Int32Array;
  readonly targets: Int32Array;
  /** 0 where a prediction does not count; null when all do. */
  readonly weights: Float32Array | null;
  /** The document of every position, counted from 0 in each row: states are reset where it grows. */
  readonly documents: Int32Array;
  /** The number of the first row in the data set's order. */
  readonly position: number;
}

/** Draws batches one after the other. `position`, the number of rows drawn so far, is its whole state. */
export class BatchStream {
  #position: number;

  /**
   * @param rows sequences in a batch
   * @param position where to go on: what `position` said when the checkpoint was written
   */
  constructor(
    readonly dataset: Dataset,
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

  next(): Batch {
    const { dataset, rows } = this;
    const position = this.#position;
    this.#position += rows;
    return readBatch(dataset, position, rows, rows, dataset.weighted);
  }
}

/**
 * The data set's rows from 0 in order, each once: for measuring. All batches have the same size and have weights; the
 * last is filled up with rows that do not count.
 *
 * @param limit at most so many rows; default all of an epoch
 */
export function* evaluationBatches(
  dataset: Dataset,
  rows: number,
  limit = Infinity,
): Generator<Batch> {
  const total = Math.min(limit, dataset.rowsPerEpoch);
  for (let position = 0; position < total; position += rows) {
    yield readBatch(dataset, position, rows, Math.min(rows, total - position), true);
  }
}

/** Rows `position` to `position + filled - 1`, in arrays for `rows`. */
function readBatch(
  dataset: Dataset,
  position: number,
  rows: number,
  filled: number,
  weighted: boolean,
): Batch {
  const { seq } = dataset;
  const tokens = new Int32Array(rows * seq);
  const targets = new Int32Array(rows * seq);
  const documents = new Int32Array(rows * seq);
  const weights = weighted ? new Float32Array(rows * seq) : null;
  for (let r = 0; r < filled; r++) {
    const view = <A extends Int32Array | Float32Array>(array: A) =>
      array.subarray(r * seq, (r + 1) * seq) as A;
    const rowWeights = weights && view(weights);
    if (!dataset.weighted) rowWeights?.fill(1);
    dataset.fill(position + r, {
      tokens: view(tokens),
      targets: view(targets),
      weights: dataset.weighted ? rowWeights : null,
      documents: view(documents),
    });
  }
  return { rows, seq, tokens, targets, weights, documents, position };
}
