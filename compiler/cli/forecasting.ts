/** What comes behind the last rows of a table, forecast by a trained model, in the table's own units. */

import { resolve } from "node:path";
import type { Scale } from "../../runtime/data/series/series.js";
import { loadSeries } from "../../runtime/data/series/open.node.js";
import { RunError } from "../../runtime/run/errors.js";
import { type BackendName, chooseBackend } from "../../runtime/tfjs/backend.js";
import { forecastRows } from "../../runtime/tfjs/train/forecast.js";
import { freeTensors, loadWeights } from "../../runtime/tfjs/train/state.js";
import type { Window } from "../1-check/model.js";
import { trainableFromPrograms } from "../6-emit/tfjs/interpreted.js";
import { compileTraining } from "../compile.js";
import type { TrainedModel } from "./checkpoints.js";

export interface Forecast {
  readonly columns: readonly string[];
  /** One row for each point in time behind the table, with a value for each column. */
  readonly rows: readonly (readonly number[])[];
}

/** @throws RunError for a table that is not one, too short, or without the columns that the model learnt */
export async function forecastTable(
  trained: TrainedModel,
  window: Window,
  csv: string,
  backendName: BackendName | undefined,
): Promise<Forecast> {
  const { path, checkpoint, model } = trained;
  const { columns, scales } = learntFrom(checkpoint.notes, path);
  const { lookback, horizon, channels } = window;
  const series = await loadSeries({ csv: resolve(csv), columns }, process.cwd());
  if (series.length < lookback)
    throw new RunError({
      code: "data-too-short",
      what: `the table has ${series.length} rows, and the model looks back on ${lookback}`,
      where: csv,
      help: "give a longer table: its last rows are what the forecast follows",
    });
  const ends = series.channels.map((values, c) => {
    const { mean, deviation } = scales[c]!;
    return Float32Array.from(values.subarray(-lookback), (value) => (value - mean) / deviation);
  });
  const width = columns.length;
  const together = Float32Array.from(
    { length: lookback * width },
    (_, i) => ends[i % width]![Math.floor(i / width)]!,
  );
  const pasts = channels === null ? ends : [together];
  const sizes = { batch: pasts.length, time: window.tokens, packed: false };
  const stages = compileTraining(model, sizes);
  const programs = { name: model.name, vocabulary: 0, ...sizes, ...stages };
  const trainable = trainableFromPrograms(programs);
  const backend = await chooseBackend(backendName);
  const weights = loadWeights(backend.tf, trainable.parameters, checkpoint.weights, path);
  const made = await forecastRows({ backend, trainable, weights }, pasts, window);
  freeTensors(weights);
  const valueAt = (t: number, c: number): number =>
    channels === null ? made[c]![t]! : made[0]![t * width + c]!;
  const rows = Array.from({ length: horizon }, (_, t) =>
    scales.map(({ mean, deviation }, c) => valueAt(t, c) * deviation + mean),
  );
  return { columns, rows };
}

/** What the run noted of its series (`notes.series`): its columns, and what they were standardised by. */
function learntFrom(
  notes: unknown,
  where: string,
): { readonly columns: readonly string[]; readonly scales: readonly Scale[] } {
  const noted = (notes as { readonly series?: unknown } | null)?.series as
    { readonly columns?: unknown; readonly scales?: unknown } | undefined;
  const { columns, scales } = noted ?? {};
  const isScale = (one: unknown): boolean => {
    const { mean, deviation } = (one ?? {}) as Partial<Scale>;
    return Number.isFinite(mean) && Number.isFinite(deviation);
  };
  if (
    Array.isArray(columns) &&
    Array.isArray(scales) &&
    columns.length === scales.length &&
    columns.every((title) => typeof title === "string") &&
    scales.every(isScale)
  )
    return { columns, scales: scales as Scale[] };
  throw new RunError({
    code: "checkpoint-without-series",
    what: "it does not say what its series was standardised by",
    where,
    help: "the checkpoint is damaged, or was written by another program than lsm",
  });
}

/** As a table: the points in time behind the last row, then the columns. */
export const forecastCsv = ({ columns, rows }: Forecast): string =>
  [["step", ...columns].map(cell), ...rows.map((values, t) => [t + 1, ...values.map(rounded)])]
    .map((cells) => `${cells.join(",")}\n`)
    .join("");

const cell = (text: string): string =>
  /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

/** What a float32 can tell. */
const rounded = (value: number): number => Number(value.toPrecision(7));
