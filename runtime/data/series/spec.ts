/** What a `data` block says of a series, and what a model makes of it. Plain data. */

export interface SeriesFile {
  readonly kind: "series";
  /** A path, or `npm:PACKAGE/PATH`. */
  readonly csv: string;
  /** The channels, by their columns' titles; null for all columns of numbers. */
  readonly columns: readonly string[] | null;
  /** Shares of the rows to learn from and to choose by, in the order of time; the rest is the test. */
  readonly split: readonly [train: number, validation: number];
}

/** A window as the model reads it; see `Window` of compiler/1-check. */
export interface SeriesData extends SeriesFile {
  /** Points in time that a model reads, and those behind them that it forecasts. */
  readonly lookback: number;
  readonly horizon: number;
  /** How many channels a window has; null where each channel is a series of its own. */
  readonly channels: number | null;
  /** Tokens in a window. */
  readonly tokens: number;
}
