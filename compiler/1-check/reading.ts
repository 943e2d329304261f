/** A text that has been parsed, and which of its items may not be what was written. */

import type { Item, SourceFile } from "../../grammar/ast.js";
import { parse } from "../../grammar/parse.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";

export interface Reading {
  readonly file: SourceFile;
  readonly diagnostics: readonly Diagnostic[];
  /** Items with syntax errors inside: what is missing in them may have been written. */
  readonly damaged: ReadonlySet<Item>;
}

export function read(text: string, path: string): Reading {
  const { file, diagnostics } = parse(text, path);
  return { file, diagnostics, damaged: damagedItems(file, diagnostics) };
}

export function damagedItems(
  { items }: SourceFile,
  diagnostics: readonly Diagnostic[],
): ReadonlySet<Item> {
  const damaged = new Set<Item>();
  for (const { labels } of diagnostics) {
    const start = labels[0]?.span.start;
    if (start === undefined) continue;
    const item = items.find(({ span }) => span.start <= start && start <= span.end);
    if (item) damaged.add(item);
  }
  return damaged;
}
