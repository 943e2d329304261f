/** Grows a selection along the syntax tree. */

import type { Position, SelectionRange } from "vscode-languageserver-types";
import type { Program } from "../program.js";

export function selectionRange(program: Program, position: Position): SelectionRange {
  const offset = program.offsetAt(position);
  const whole = program.range(program.path, 0, program.text.length);
  let found: SelectionRange = { range: whole };
  for (const { span } of [...program.syntaxAt(offset)].reverse()) {
    const range = program.rangeOf(span);
    if (JSON.stringify(range) !== JSON.stringify(found.range)) found = { range, parent: found };
  }
  return found;
}
