/** Opens the series of a `data` block: its table, its parts, its windows, and what they are compared with. */

import { relative } from "node:path";
import { RunError } from "../../run/errors.js";
import { readBytes } from "../../run/files.node.js";
import type { Dataset, WindowBatch } from "../dataset.js";
import { sourceFiles } from "../sources.node.js";
import { decodeText } from "../text.js";
import { type SeriesBaselines, fitBaselines } from "./baselines.js";
import { type Series, type Scale, readSeries } from "./series.js";
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

/** @throws RunError for anything wrong with the file, its table or its length */
export async function openSeries(
  spec: SeriesData,
  base: string,
  seed: number,
): Promise<OpenedSeries> {
  const series = await loadSeries(spec, base);
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

/** The one table that a `csv` setting names. */
export async function loadSeries(
  { csv, columns }: Pick<SeriesData, "csv" | "columns">,
  base: string,
): Promise<Series> {
  const files = await sourceFiles(csv, base, "csv");
  const [file] = files;
  if (file === undefined || files.length > 1)
    throw new RunError({
      code: "series-several-files",
      what: `${files.length} files match, and a series is one table`,
      where: `csv ${JSON.stringify(csv)}`,
      help: "name one file",
    });
  const near = relative(base, file);
  const name = near.startsWith("..") ? file : near;
  return readSeries(decodeText(await readBytes(file), name), columns, name);
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
