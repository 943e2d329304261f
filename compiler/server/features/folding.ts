/** What can be folded: braces and brackets over several lines, and blocks of comments. */

import type { FoldingRange } from "vscode-languageserver-types";
import { childrenOf, type Syntax } from "../names/syntax.js";
import type { Program } from "../program.js";

/** Parts of an item that are folded when they take several lines; all of these end with a bracket. */
const foldable: ReadonlySet<string> = new Set(["mix", "if", "axes", "pairs", "call"]);

export function foldingRanges(program: Program): FoldingRange[] {
  const found = new Map<number, FoldingRange>(); // by its first line; the outermost of several
  const add = (start: number, end: number, kind?: string): void => {
    if (end > start && !found.has(start))
      found.set(start, { startLine: start, endLine: end, ...(kind ? { kind } : {}) });
  };
  const visit = (node: Syntax, isItem: boolean): void => {
    const { start, end } = program.rangeOf(node.span);
    if (end.line <= start.line) return;
    // the line of the closing bracket stays
    if (isItem || foldable.has(node.kind ?? "")) add(start.line, end.line - 1);
    for (const child of childrenOf(node)) visit(child, false);
  };
  for (const item of program.file.items) visit(item, true);
  for (const [start, end] of commentBlocks(program)) add(start, end, "comment");
  return [...found.values()].sort((a, b) => a.startLine - b.startLine);
}

/** Lines of comments that follow each other. */
function commentBlocks(program: Program): [number, number][] {
  const blocks: [number, number][] = [];
  for (const { span, ownLine } of program.file.comments) {
    if (!ownLine) continue;
    const { line } = program.range(program.path, span.start, span.end).start;
    const last = blocks.at(-1);
    if (last && last[1] === line - 1) last[1] = line;
    else blocks.push([line, line]);
  }
  return blocks;
}
