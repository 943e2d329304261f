/**
 * The one format: a well-formed file as a prettier document. 80 columns, two blanks of indentation, at most
 * one blank line between statements, nothing aligned; every comment is kept.
 */

import type { Doc } from "prettier";
import { builders } from "prettier/doc";
import type { SourceFile } from "./ast.js";
import { Comments } from "./print/comments.js";
import { fileContainer } from "./print/containers.js";
import { item } from "./print/declarations.js";
import { statement } from "./print/statements.js";
import { lines, type Context } from "./print/lists.js";
import { Source } from "./print/source.js";

/** `file` must be `text` parsed without errors. */
export function print(file: SourceFile, text: string): Doc {
  const source = new Source(text);
  const context: Context = {
    source,
    comments: new Comments(file, source),
    statement: (node) => statement(node, context),
  };
  const empty = file.items.length + file.comments.length === 0;
  return empty
    ? ""
    : [lines(fileContainer, file.items, (node) => item(node, context), context), builders.hardline];
}
