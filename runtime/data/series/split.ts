/** A series in three parts, in the order of time, and the windows of each. */

import { RunError } from "../../run/errors.js";
import { type Scale, type Series, scalesOf, standardised } from "./series.js";
import type { SeriesData } from "./spec.js";
import type { Windows } from "./windows.js";

export interface SeriesParts {
  readonly train: Windows;
  /** Null where its share of the rows is less than a horizon. */
  readonly validation: Windows | null;
  readonly test: Windows | null;
  readonly scales: readonly Scale[];
}

/** @throws RunError `data-too-short`, `series-channels` */
export function splitSeries(series: Series, spec: SeriesData): SeriesParts {
  const { lookback, horizon, tokens, split, channels: expected } = spec;
  const { length } = series;
  if (expected !== null && expected !== series.channels.length)
    throw new RunError({
      code: "series-channels",
      what: `the series has ${series.channels.length} channels (${series.titles.join(", ")}), and the model reads ${expected}`,
      where: `csv ${JSON.stringify(spec.csv)}`,
      help: "choose as many with `columns [a, b]`, or give the model another number of `channels`",
    });
  const learnt = Math.round(length * split[0]);
  const chosen = Math.round(length * (split[0] + split[1]));
  const needed = lookback + horizon;
  if (learnt < needed)
    throw new RunError({
      code: "data-too-short",
      what: `of ${length} rows ${learnt} are to learn from, and one window takes ${needed}: ${lookback} to look back on and ${horizon} to forecast`,
      where: `csv ${JSON.stringify(spec.csv)}`,
      help: "give a longer series, a larger first share of the `split`, or a shorter look-back and horizon",
    });
  const scales = scalesOf(series, learnt);
  const channels = standardised(series, scales);
  const fingerprint = fingerprintOf(channels);
  /** Windows whose horizons lie between two points in time. */
  const part = (from: number, to: number): Windows => ({
    channels,
    from: Math.max(from, lookback),
    to: to - horizon + 1,
    lookback,
    horizon,
    separate: expected === null,
    tokens,
    fingerprint: `series-${length}-${channels.length}-${lookback}-${horizon}-${learnt}-${fingerprint}`,
  });
  const some = (windows: Windows): Windows | null => (windows.to > windows.from ? windows : null);
  return {
    train: part(0, learnt),
    validation: some(part(learnt, chosen)),
    test: some(part(chosen, length)),
    scales,
  };
}

/** FNV-1a (32 bits) over the values' bits. */
function fingerprintOf(channels: readonly Float32Array[]): string {
  let hash = 0x811c9dc5;
  for (const values of channels)
    for (const bits of new Uint32Array(values.buffer, values.byteOffset, values.length))
      hash = Math.imul(hash ^ bits, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
