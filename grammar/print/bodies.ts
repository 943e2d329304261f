/** The braces around statements, wherever they stand. */

import type { Doc } from "prettier";
import type { Statement } from "../ast.js";
import { block, mayShareLine, type Context } from "./lists.js";

/** `{ … }` around statements; see `block` for `oneLine`. */
export function body(
  open: number,
  statements: readonly Statement[],
  oneLine: boolean,
  context: Context,
): Doc {
  return block(open, statements, oneLine, context.statement, context);
}

/** Whether a body may stand on one line, which takes that it has no more than one statement. */
export function bodyMayShareLine(
  open: number,
  statements: readonly Statement[],
  context: Context,
): boolean {
  return statements.length <= 1 && mayShareLine(open, context);
}
