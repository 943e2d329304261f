/** `data` blocks: what a model learns from, text in files or tasks that are generated. */

import type { BlockDeclaration } from "../../../grammar/ast.js";
import type { DataSpec, MqarData, TextData } from "../../../runtime/data/open.node.js";
import { breaks } from "./bounds.js";
import { exclude } from "./exclusive.js";
import { readBlock } from "./owner.js";
import type { Scope } from "./schema.js";
import { type DataSettings, dataTable } from "./tables/data.js";

export type Data = { readonly name: string; readonly doc: string | null } & DataSpec;

type Partly = Partial<DataSettings>;

/** Null when anything in the block is wrong (reported). */
export function checkData(block: BlockDeclaration, scope: Scope): Data | null {
  const { values, partial } = readBlock(dataTable, block, scope);
  const generates = scope.places.has("generate");
  const fits = [
    exclude("generate", ["tokenizer", "pack"], scope),
    generates ? rowsFit(partial, scope) : shareFits(partial, scope),
    taskFits(partial, scope),
  ];
  if (values === null || !fits.every(Boolean)) return null;
  return {
    name: block.name.name,
    doc: block.doc,
    ...(values.generate ? taskOf(values, values.generate) : textOf(values)),
  };
}

function textOf({ text, tokenizer, seq, pack, held_out }: DataSettings): TextData {
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
  { seq, held_out }: DataSettings,
  task: NonNullable<DataSettings["generate"]>,
): MqarData {
  return { ...task, queries: task.queries ?? task.pairs, seq, heldOut: held_out ?? 512 };
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
function taskFits({ generate, seq = Infinity }: Partly, scope: Scope): boolean {
  if (!generate) return true;
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
