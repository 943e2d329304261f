/**
 * Text to syntax tree, for any text whatever: what cannot be read becomes error nodes and diagnostics,
 * never an exception. The steps: tokens; balanced brackets; line breaks; mended keywords; the grammar; a
 * bound on the tree's height.
 */

import { EOF } from "chevrotain";
import type { Diagnostic } from "../compiler/diagnostics/diagnostic.js";
import type { SourceFile } from "./ast.js";
import { balance } from "./brackets.js";
import { docFinder } from "./docs.js";
import { limitHeight } from "./height.js";
import { layout } from "./layout.js";
import { lex } from "./lexer.js";
import { Parser } from "./parser/declarations.js";
import { Problems } from "./problems.js";
import { mendKeywords } from "./spelling.js";
import { makeToken, type Token } from "./vocabulary.js";

export interface ParseResult {
  readonly file: SourceFile;
  /** In the order of their places; empty exactly when the text is well formed. */
  readonly diagnostics: Diagnostic[];
}

/** Made on first use: analysing the grammar takes longer than parsing most files. */
let parser: Parser | null = null;

/** `source` is the path that spans and diagnostics name. */
export function parse(text: string, source: string): ParseResult {
  const problems = new Problems(source);
  const { tokens, comments } = lex(text, problems);
  const lines = mendKeywords(layout(balance(tokens, problems)), problems);
  parser ??= new Parser();
  const items = parser.parseFile(
    [...lines, ...endOfFile(text)],
    docFinder(text, comments),
    problems,
  );
  const span = problems.span(0, text.length);
  return {
    file: { kind: "file", span, items: limitHeight(items, problems), comments },
    diagnostics: problems.diagnostics,
  };
}

/** As many as the parser ever looks ahead. */
function endOfFile(text: string): Token[] {
  return Array.from({ length: 4 }, () => makeToken(EOF, "", text.length, 0));
}
