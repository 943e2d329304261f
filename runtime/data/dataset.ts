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

export interface Dataset {
  readonly vocab: number;
  /** Positions in a row. */
  readonly seq: number;
  /** After so many rows every one was drawn once, and a new order begins; Infinity for data made without end. */
  readonly rowsPerEpoch: number;
  /** Whether some positions do not count. */
  readonly weighted: boolean;
  /** Tells one data set from another (CheckpointState.data). */
  readonly fingerprint: string;
  /** Writes row number `index` (0, 1, 2, … through all epochs) into zeroed arrays. */
  fill(index: number, row: Row): void;
}

/** A warning when a run goes on with other data than it began with, so that its losses will differ; else null. */
export function dataChanged(
  saved: { readonly fingerprint: string },
  dataset: Dataset,
): string | null {
  if (saved.fingerprint === dataset.fingerprint) return null;
  return `the data has changed since the checkpoint (${saved.fingerprint} then, ${dataset.fingerprint} now): the run goes on, but not as it would have`;
}
