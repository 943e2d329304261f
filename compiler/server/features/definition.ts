/** Go to definition: where a name is declared, in this file, in one it uses, or in the library. */

import type { Location, Position } from "vscode-languageserver-types";
import type { Span } from "../../../grammar/ast.js";
import type { Target } from "../names/bind.js";
import { meaningOf } from "../names/resolve.js";
import type { Program } from "../program.js";

export function definition(program: Program, position: Position): Location | null {
  const offset = program.offsetAt(position);
  const used = usedFile(program, offset);
  if (used) return program.location({ source: used, start: 0, end: 0 });
  const occurrence = program.nameAt(offset);
  const span = occurrence && definitionSpan(occurrence.target, program);
  return span ? program.location(span) : null;
}

/** Where the name that stands for something is given; null for what no program declares. */
export function definitionSpan(target: Target, program: Program): Span | null {
  const meaning = meaningOf(target, program);
  switch (meaning?.kind) {
    case "local":
      return meaning.local.span;
    case "declared":
      return meaning.item.name.span;
    case "parameter":
      return meaning.parameter.name.span;
    default:
      return null;
  }
}

/** The file that a `use` under the cursor names. */
function usedFile(program: Program, offset: number): string | null {
  const item = program.spotAt(offset)?.item;
  return item?.kind === "use" ? program.usedPath(item.path.value) : null;
}
