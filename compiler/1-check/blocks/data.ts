/** `data` blocks: what a model learns from, text in files, tasks that are generated, or series in a table. */

import type { BlockDeclaration } from "../../../grammar/ast.js";
import type { MqarData, TextData } from "../../../runtime/data/open.node.js";
import type { SeriesFile } from "../../../runtime/data/series/spec.js";
import { breaks } from "./bounds.js";
import { exclude } from "./exclusive.js";
import { readBlock } from "./owner.js";
import type { Scope } from "./schema.js";
import { type DataSettings, dataTable } from "./tables/data.js";

export type Data = { readonly name: string; readonly doc: string | null } & (
  TextData | MqarData | SeriesFile
);

type Partly = Partial<DataSettings>;

/** Null when anything in the block is wrong (reported). */
export function checkData(block: BlockDeclaration, scope: Scope): Data | null {
  const { values, partial } = readBlock(dataTable, block, scope);
  const generates = scope.places.has("generate");
  const fits = [
    exclude("generate", ["tokenizer", "pack", ...ofSeries], scope),
    exclude("csv", ["generate", "tokenizer", "pack", "held_out"], scope),
    exclude("text", ofSeries, scope),
    generates ? rowsFit(partial, scope) : shareFits(partial, scope),
    taskFits(partial, scope),
    splitFits(partial, scope),
  ];
  if (values === null || !fits.every(Boolean)) return null;
  return { name: block.name.name, doc: block.doc, ...specOf(values) };
}

/** Settings that only a series has. */
const ofSeries = ["columns", "split"];

function specOf(values: DataSettings): TextData | MqarData | SeriesFile {
  const { csv, columns, split, generate, seq } = values;
  if (csv !== null) return { kind: "series", csv, columns, split };
  return generate ? taskOf(values, seq!, generate) : textOf(values, seq!);
}

function textOf({ text, tokenizer, pack, held_out }: DataSettings, seq: number): TextData {
  const reads = tokenizer === "bytes" ? "bytes" : { json: tokenizer };
  return {
    kind: "text",
    text,
    tokenizer: reads,
    seq,
    pack: pack !== null,
    heldOut: held_out ?? 0.05,
  };
}

function taskOf(
  { held_out }: DataSettings,
  seq: number,
  task: NonNullable<DataSettings["generate"]>,
): MqarData {
  return { ...task, queries: task.queries ?? task.pairs, seq, heldOut: held_out ?? 512 };
}

/** Something is left of a series to test on. */
function splitFits({ split }: Partly, scope: Scope): boolean {
  if (!split) return true;
  const [learnt, chosen] = split;
  if (learnt + chosen < 1) return true;
  const bound = {
    range: "two shares of less than 1 together",
    path: "csv",
    text: "of this series",
    help: "for example `split (0.7, 0.1)`: the last fifth is the test",
  };
  return breaks("split", learnt + chosen, bound, scope);
}

/** Of a text a share is held out, and some is left to learn from. */
function shareFits({ held_out }: Partly, scope: Scope): boolean {
  if (typeof held_out !== "number" || held_out < 1) return true;
  const range = "a share of the text, from 0 to below 1";
  const bound = { range, path: "text", text: "of this text", help: "for example `held_out 0.05`" };
  return breaks("held_out", held_out, bound, scope);
}

/** Of a task rows are held out. */
function rowsFit({ held_out }: Partly, scope: Scope): boolean {
  if (typeof held_out !== "number" || Number.isSafeInteger(held_out)) return true;
  const help = "for example `held_out 512`: rows to measure on";
  const bound = {
    range: "a whole number of rows",
    path: "generate",
    text: "a task without end",
    help,
  };
  return breaks("held_out", held_out, bound, scope);
}

/** The pairs need as many keys and values, and a row as many places (runtime/data/mqar.ts). */
function taskFits({ generate, seq }: Partly, scope: Scope): boolean {
  if (!generate || typeof seq !== "number") return true;
  const { pairs, vocab, queries } = { ...generate, queries: generate.queries ?? generate.pairs };
  const ids = {
    least: 2 * pairs + 2,
    path: "generate.pairs",
    text: `${pairs} pairs take a key and a value each`,
    help: "make `vocab` larger, or `pairs` smaller",
  };
  const places = {
    least: 2 * (pairs + queries),
    path: "generate",
    text: `${pairs} pairs and ${queries} queries take two tokens each`,
    help: "make `seq` larger, or ask for fewer pairs and queries",
  };
  const atLeast = (path: string, value: number, { least, ...bound }: typeof ids): boolean =>
    value >= least || breaks(path, value, { range: `at least ${least}`, ...bound }, scope);
  return [atLeast("generate.vocab", vocab, ids), atLeast("seq", seq, places)].every(Boolean);
}
