/**
 * Comma-separated values (RFC 4180): titles in the first line, then one row a line. Quoted cells may hold commas,
 * quotes written twice, and line ends. What is not a table is refused with the line it stands in.
 */

import { RunError } from "../../run/errors.js";

export interface Table {
  readonly titles: readonly string[];
  /** Cells by column; every column has one of every row. */
  readonly columns: readonly (readonly string[])[];
  /** The line of the file that each row begins in, from 1. */
  readonly lines: readonly number[];
}

const mostColumns = 10_000;
const longestCell = 10_000; // characters: an unclosed quote takes in the rest of the file

/**
 * @param where the file's name, for messages
 * @throws RunError `csv-no-table`, `csv-uneven-row`, `csv-bad-quote`, `csv-bad-title`
 */
export function parseCsv(text: string, where: string): Table {
  const rows = rowsOf(text.replace(/^\uFEFF/, ""), where);
  const first = rows.next();
  if (first.done) throw fault("csv-no-table", "the file is empty", where, needs);
  const titles = first.value.cells.map((title) => title.trim());
  checkTitles(titles, `${where}:${first.value.line}`);
  const columns = titles.map((): string[] => []);
  const lines: number[] = [];
  for (const { cells, line } of rows) {
    if (cells.length !== titles.length)
      throw fault(
        "csv-uneven-row",
        `line ${line} has ${count(cells.length, "cell")}, and the titles are ${titles.length}`,
        `${where}:${line}`,
        "every row has a cell for each column; one with a comma in it stands in quotes",
      );
    cells.forEach((cell, i) => columns[i]!.push(cell));
    lines.push(line);
  }
  if (lines.length === 0)
    throw fault("csv-no-table", "there is no row below the titles", where, needs);
  return { titles, columns, lines };
}

const needs = "the first line has the columns' titles, every other line is one point in time";

interface Row {
  readonly cells: readonly string[];
  readonly line: number;
}

/** The rows that have something in them. */
function* rowsOf(text: string, where: string): Generator<Row, undefined> {
  let line = 1;
  for (let at = 0; at < text.length;) {
    const began = line;
    const cells: string[] = [];
    for (let more = true; more;) {
      const cell = cellAt(text, at, `${where}:${line}`);
      for (const mark of text.slice(at, cell.end)) if (mark === "\n") line += 1;
      cells.push(cell.value);
      more = text[cell.end] === ",";
      at = cell.end + (more ? 1 : 0);
      if (cells.length > mostColumns)
        throw fault("csv-no-table", `more than ${mostColumns} columns`, `${where}:${line}`, needs);
    }
    if (text[at] === "\r") at += 1;
    if (text[at] === "\n") at += 1;
    line += 1;
    if (cells.length > 1 || cells[0]!.trim() !== "") yield { cells, line: began };
  }
}

/** The cell that begins at `at`, and where its comma or its line's end stands. */
function cellAt(
  text: string,
  at: number,
  where: string,
): { readonly value: string; readonly end: number } {
  const quoted = text[at] === '"';
  const end = quoted ? closingQuote(text, at, where) + 1 : plainEnd(text, at);
  if (end - at > longestCell)
    throw fault("csv-bad-quote", `a cell has more than ${longestCell} characters`, where, close);
  if (!quoted) return { value: text.slice(at, end), end };
  if (end < text.length && !",\r\n".includes(text[end]!))
    throw fault("csv-bad-quote", "something follows a closing quote", where, twice);
  return { value: text.slice(at + 1, end - 1).replaceAll('""', '"'), end };
}

const close = "close the quote, or take it away";
const twice = 'inside of quotes write a quote twice: "a ""b"" c"';

function plainEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && at - from <= longestCell && !",\r\n".includes(text[at]!)) at += 1;
  return at;
}

function closingQuote(text: string, from: number, where: string): number {
  for (let at = from + 1; at < text.length && at - from <= longestCell; at += 1) {
    if (text[at] !== '"') continue;
    if (text[at + 1] !== '"') return at;
    at += 1;
  }
  throw fault("csv-bad-quote", "a quote is not closed", where, close);
}

function checkTitles(titles: readonly string[], where: string): void {
  const again = titles.find((title, i) => titles.indexOf(title) !== i);
  if (again !== undefined)
    throw fault("csv-bad-title", `two columns are called ${JSON.stringify(again)}`, where, unlike);
  if (titles.every((title) => title === "" || Number.isFinite(Number(title))))
    throw fault("csv-bad-title", "the first line has no titles, only numbers", where, needs);
}

const unlike = "give every column a title of its own";

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;

function fault(code: string, what: string, where: string, help: string): RunError {
  return new RunError({ code, what, where, help });
}
