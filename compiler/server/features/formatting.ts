/** Formatting: the one edit that puts a file into the one format; none while it has syntax errors. */

import type { TextEdit } from "vscode-languageserver-types";
import { format } from "../../../grammar/format.js";
import type { Program } from "../program.js";

export async function formatting(program: Program): Promise<TextEdit[]> {
  const { text: before, path } = program;
  const { text: after, diagnostics } = await format(before, path);
  if (diagnostics.length > 0 || after === before) return [];
  // what both begin and end with stays, so that cursors and folds stay where they are
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < most - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  const range = program.range(path, start, before.length - end);
  return [{ range, newText: after.slice(start, after.length - end) }];
}
