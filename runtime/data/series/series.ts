/** A series: the values of its channels over time, as numbers; and what they are standardised by. */

import { RunError } from "../../run/errors.js";
import type { Table } from "./csv.js";
import { parseCsv } from "./csv.js";

export interface Series {
  readonly titles: readonly string[];
  /** One array a channel, of one value for each point in time. */
  readonly channels: readonly Float64Array[];
  readonly length: number;
  /** Columns that are no channel. */
  readonly skipped: readonly string[];
}

/**
 * The channels of a table: the columns that are named, in that order, or else all whose first cell is a number. A
 * channel has a number in every row: where one is missing, what should stand there is not for us to say.
 *
 * @throws RunError for what is no table, `series-no-column`, `series-no-channel`, `series-not-a-number`
 */
export function readSeries(text: string, columns: readonly string[] | null, where: string): Series {
  const table = parseCsv(text, where);
  const chosen = columns ?? table.titles.filter((_, i) => numberIn(table.columns[i]![0]!) !== null);
  if (chosen.length === 0)
    throw fault(
      "series-no-channel",
      "no column begins with a number",
      where,
      `name the columns to learn: \`columns [${table.titles.join(", ")}]\``,
    );
  const channels = chosen.map((title) => numbersOf(table, title, where));
  const skipped = table.titles.filter((title) => !chosen.includes(title));
  return { titles: chosen, channels, length: table.lines.length, skipped };
}

function numbersOf(table: Table, title: string, where: string): Float64Array {
  const at = table.titles.indexOf(title);
  if (at < 0)
    throw fault(
      "series-no-column",
      `there is no column ${JSON.stringify(title)}`,
      where,
      `its columns are ${table.titles.map((one) => JSON.stringify(one)).join(", ")}`,
    );
  return Float64Array.from(table.columns[at]!, (cell, row) => {
    const value = numberIn(cell);
    if (value !== null) return value;
    const line = table.lines[row]!;
    const found = cell.trim() === "" ? "no value" : JSON.stringify(cell.slice(0, 40));
    throw fault(
      "series-not-a-number",
      `line ${line} has ${found} in the column ${JSON.stringify(title)}`,
      `${where}:${line}`,
      "fill gaps in before training, or choose other columns with `columns [a, b]`",
    );
  });
}

/** A decimal number of usual size; null for anything else, such as `0x10`, `NaN`, `1,5` or nothing at all. */
function numberIn(cell: string): number | null {
  const text = cell.trim();
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return null;
  const value = Number(text);
  return Math.abs(value) < 1e30 ? value : null; // its square is still a float32's
}

/** What a channel is standardised by, from the part that is learnt. */
export interface Scale {
  readonly mean: number;
  readonly deviation: number;
}

/** Mean and deviation of the first `length` values of every channel; a constant channel's deviation is 1. */
export function scalesOf({ channels }: Pick<Series, "channels">, length: number): Scale[] {
  return channels.map((values) => {
    const part = values.subarray(0, length);
    const mean = part.reduce((sum, value) => sum + value, 0) / length;
    const variance = part.reduce((sum, value) => sum + (value - mean) ** 2, 0) / length;
    const deviation = Math.sqrt(variance);
    return { mean, deviation: deviation > 1e-12 * Math.max(1, Math.abs(mean)) ? deviation : 1 };
  });
}

/** (x − mean) / deviation, channel by channel. */
export function standardised(
  { channels }: Pick<Series, "channels">,
  scales: readonly Scale[],
): Float32Array[] {
  return channels.map((values, c) => {
    const { mean, deviation } = scales[c]!;
    return Float32Array.from(values, (value) => (value - mean) / deviation);
  });
}

function fault(code: string, what: string, where: string, help: string): RunError {
  return new RunError({ code, what, where, help });
}
