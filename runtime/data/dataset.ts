/** What a trainer draws from: rows of a fixed length, numbered without end, each the same whenever it is asked for. */

/** One sequence, as views into a batch; every array holds `seq` elements. */
export interface Row {
  /** The inputs. */
  readonly tokens: Int32Array;
  /** What each position is to predict. */
  readonly targets: Int32Array;
  /** How much each prediction counts: 0 or 1. Null when the data set is not `weighted`, so that all count. */
  readonly weights: Float32Array | null;
  /** The document each position belongs to: 0 at the row's start, one more at every document's start. */
  readonly documents: Int32Array;
}

/** Rows side by side: of tokens, or windows of a series. */
export type Batch = TokenBatch | WindowBatch;

/** `rows` sequences of `seq` positions; every array has rows * seq elements, row after row. */
export interface TokenBatch {
  readonly kind: "tokens";
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

/** `rows` windows, one after the other. */
export interface WindowBatch {
  readonly kind: "windows";
  readonly rows: number;
  /** Tokens that a model makes of a window. */
  readonly seq: number;
  readonly series: Float32Array; // [rows, lookback], or [rows, lookback, channels]
  readonly future: Float32Array; // [rows, horizon], or [rows, horizon, channels]
  /** The shape of one row of each. */
  readonly shapes: { readonly series: readonly number[]; readonly future: readonly number[] };
  /** 0 for a window that does not count; null when all do. */
  readonly weights: Float32Array | null;
  readonly position: number;
}

export interface Dataset<B extends Batch = Batch> {
  /** Positions in a row. */
  readonly seq: number;
  /** After so many rows every one was drawn once, and a new order begins; Infinity for data made without end. */
  readonly rowsPerEpoch: number;
  /** Whether some positions do not count. */
  readonly weighted: boolean;
  /** Tells one data set from another (CheckpointState.data). */
  readonly fingerprint: string;
  /**
   * Rows `position` to `position + filled − 1` (0, 1, 2, … through all epochs) in arrays for `rows`; those that are
   * not filled count for nothing, for which there must be weights (`weighted`).
   */
  read(position: number, rows: number, filled: number, weighted: boolean): B;
}

/** Rows of tokens, which are written one by one. */
export interface TokenDataset extends Dataset<TokenBatch> {
  readonly vocab: number;
  /** Writes row number `index` into zeroed arrays. */
  fill(index: number, row: Row): void;
}

/** A data set from all but `read`. */
export function tokenDataset(rows: Omit<TokenDataset, "read">): TokenDataset {
  return { ...rows, read: (...place) => readTokens(rows, ...place) };
}

function readTokens(
  dataset: Omit<TokenDataset, "read">,
  position: number,
  rows: number,
  filled: number,
  weighted: boolean,
): TokenBatch {
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
  return { kind: "tokens", rows, seq, tokens, targets, weights, documents, position };
}

/** A warning when a run goes on with other data than it began with, so that its losses will differ; else null. */
export function dataChanged(
  saved: { readonly fingerprint: string },
  dataset: Dataset,
): string | null {
  if (saved.fingerprint === dataset.fingerprint) return null;
  return `the data has changed since the checkpoint (${saved.fingerprint} then, ${dataset.fingerprint} now): the run goes on, but not as it would have`;
}
