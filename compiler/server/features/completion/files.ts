/** Completion within a text that names a file: what lies in its folder, beside the program or below. */

import type { Range } from "vscode-languageserver-types";
import type { Context } from "../../names/context.js";
import { lineOf } from "../../names/context.js";
import type { Program } from "../../program.js";
import { type Entry, CompletionItemKind } from "./entry.js";

/** What the file names of a setting end in. */
const endings: Readonly<Record<string, RegExp>> = {
  use: /\.lsm$/,
  "data text": /\.(?:txt|md|jsonl)$/,
  "data csv": /\.csv$/,
  "data tokenizer": /\.json$/,
  "convert from": /\.safetensors$/,
};

/** @param text what is written of the text before the cursor at `offset`, without its quote */
export function fileEntries(
  { open, outside }: Context,
  text: string,
  offset: number,
  program: Program,
): Entry[] {
  const block = open.at(-1);
  if (open.length > 1) return [];
  const first = lineOf(block ? block.tokens : outside)[0]?.image ?? "";
  const ending = endings[block ? `${block.declaration} ${first}` : first];
  if (!ending || text.includes(":")) return []; // `npm:` names no file of ours
  const cut = text.lastIndexOf("/") + 1;
  const folder = text.slice(0, cut) || ".";
  const replace: Range = program.range(program.path, offset - (text.length - cut), offset);
  const own = program.path.split("/").at(-1);
  return program
    .namesIn(folder)
    .filter((name) => !/^(?:\.|node_modules\/)/.test(name))
    .filter((name) => name.endsWith("/") || (ending.test(name) && !(cut === 0 && name === own)))
    .map((name) => ({
      label: name,
      kind: name.endsWith("/") ? CompletionItemKind.Folder : CompletionItemKind.File,
      replace,
    }));
}
