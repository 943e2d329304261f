/** All uses of a name, in every file of the given programs. */

import type { DocumentHighlight, Location, Position } from "vscode-languageserver-types";
import type { Span } from "../../../grammar/ast.js";
import { occurrencesIn } from "../names/bind.js";
import type { Program } from "../program.js";
import { definitionSpan } from "./definition.js";

/** `among`: the programs to look in beside the one the question is about. */
export function references(
  program: Program,
  position: Position,
  withDefinition: boolean,
  among: readonly Program[] = [],
): Location[] {
  const found = new Map<string, Location>();
  for (const { location, defines } of usesAt(program, position, among))
    if (withDefinition || !defines) found.set(JSON.stringify(location), location);
  return [...found.values()];
}

export function highlights(program: Program, position: Position): DocumentHighlight[] {
  const uses = usesAt(program, position, []).filter(({ span }) => span.source === program.path);
  return uses.map(({ location, defines }) => ({ range: location.range, kind: defines ? 3 : 2 }));
}

export interface Use {
  readonly span: Span; // where it is now
  readonly location: Location;
  readonly defines: boolean;
}

/** Every use of what the name at a position stands for; none when it is nothing that programs declare. */
export function usesAt(program: Program, position: Position, among: readonly Program[]): Use[] {
  const occurrence = program.nameAt(program.offsetAt(position));
  const wanted = occurrence && definitionSpan(occurrence.target, program);
  if (!wanted) return [];
  const place = program.place(wanted);
  const others = among.filter((other) => other.path !== program.path);
  return [program, ...others].flatMap((one) => usesOf(place, one));
}

/** The uses, in one program's files, of what is declared at a place. */
function usesOf(wanted: Span, program: Program): Use[] {
  return [...program.checked.declarations.files.values()].flatMap(({ items }) =>
    items.flatMap((item) =>
      occurrencesIn(item).flatMap(({ target, span, defines }) => {
        const at = definitionSpan(target, program);
        if (!at) return [];
        const { source, start } = program.place(at);
        if (source !== wanted.source || start !== wanted.start) return [];
        return [{ span: program.place(span), location: program.location(span), defines }];
      }),
    ),
  );
}
