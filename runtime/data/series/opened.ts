/** A series in memory as a run uses it: its parts, its windows, and what forecasts are compared with. */

import type { Dataset, WindowBatch } from "../dataset.js";
import { type SeriesBaselines, fitBaselines } from "./baselines.js";
import type { Scale, Series } from "./series.js";
import type { SeriesData } from "./spec.js";
import { type SeriesParts, splitSeries } from "./split.js";
import { measuringWindows, trainingWindows, windowCount } from "./windows.js";

export interface OpenedSeries {
  readonly kind: "series";
  readonly train: Dataset<WindowBatch>;
  /** To choose by, and to test on at the end; null where the series is too short for one. */
  readonly validation: Dataset<WindowBatch> | null;
  readonly test: Dataset<WindowBatch> | null;
  readonly parts: SeriesParts;
  readonly series: Series;
  readonly scales: readonly Scale[];
  readonly tokenizer: null;
  readonly summary: string;
  /** Fitted when called. */
  baselines(): SeriesBaselines;
}

/** @throws RunError where the series is too short for the windows */
export function openedSeries(series: Series, spec: SeriesData, seed: number): OpenedSeries {
  const parts = splitSeries(series, spec);
  const { train, validation, test, scales } = parts;
  let fitted: SeriesBaselines | null = null;
  return {
    kind: "series",
    train: trainingWindows(train, seed),
    validation: validation && measuringWindows(validation),
    test: test && measuringWindows(test),
    parts,
    series,
    scales,
    tokenizer: null,
    summary: summaryOf(series, parts),
    baselines: () => (fitted ??= fitBaselines(parts)),
  };
}

function summaryOf({ titles, length, skipped }: Series, parts: SeriesParts): string {
  const { train, validation, test } = parts;
  const windows = [train, validation, test].map((part) => (part ? windowCount(part) : 0));
  const left = skipped.length === 0 ? "" : `, without ${listed(skipped)}`;
  const [learnt, chosen, tested] = windows.map((n) => n.toLocaleString("en-US"));
  return `${length.toLocaleString("en-US")} rows of ${listed(titles)}${left}; windows: ${learnt} to learn, ${chosen} to validate, ${tested} to test`;
}

const mostNames = 8;

function listed(names: readonly string[]): string {
  const shown = names.slice(0, mostNames).join(", ");
  return names.length > mostNames ? `${shown} and ${names.length - mostNames} more` : shown;
}
