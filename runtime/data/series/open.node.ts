/** Opens the series of a `data` block from its file. */

import { relative } from "node:path";
import { RunError } from "../../run/errors.js";
import { readBytes } from "../../run/files.node.js";
import { sourceFiles } from "../sources.node.js";
import { decodeText } from "../text.js";
import { type OpenedSeries, openedSeries } from "./opened.js";
import { type Series, readSeries } from "./series.js";
import type { SeriesData } from "./spec.js";

/** @throws RunError for anything wrong with the file, its table or its length */
export async function openSeries(
  spec: SeriesData,
  base: string,
  seed: number,
): Promise<OpenedSeries> {
  return openedSeries(await loadSeries(spec, base), spec, seed);
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
