/**
 * Rename: all uses of a name, or a reason why not. The result is checked before it is handed out: a rename
 * that would change what the program means, or break it, is refused.
 */

import type { Position, Range, TextEdit, WorkspaceEdit } from "vscode-languageserver-types";
import { check } from "../../1-check/check.js";
import { wordPattern } from "../../../grammar/tokens.js";
import type { Host } from "../../host.js";
import type { Program } from "../program.js";
import { type Occurrence, occurrencesIn } from "../names/bind.js";
import { meaningOf } from "../names/resolve.js";
import { definitionSpan } from "./definition.js";
import { type Use, usesAt } from "./references.js";

/** A reason that the user is told. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

/** The range of the name that would be renamed. */
export function prepareRename(program: Program, position: Position): Range {
  const occurrence = program.nameAt(program.offsetAt(position));
  if (!occurrence) throw new Refusal("there is no name here");
  const span = definitionSpan(occurrence.target, program);
  if (!span) throw new Refusal(`\`${occurrence.name}\` is a word of the language`);
  if (program.isLibrary(span))
    throw new Refusal(`\`${occurrence.name}\` belongs to the standard library`);
  return program.rangeOf(occurrence.span);
}

export function rename(
  program: Program,
  position: Position,
  name: string,
  among: readonly Program[],
  host: Host,
): WorkspaceEdit {
  prepareRename(program, position);
  if (!new RegExp(`^${wordPattern.source}$`).test(name))
    throw new Refusal(`\`${name}\` is no name: letters, digits and \`_\`, and no digit first`);
  const { target } = program.nameAt(program.offsetAt(position))!;
  if (target.kind === "global" && meaningOf({ kind: "global", name }, program))
    throw new Refusal(`there is a \`${name}\` already`);
  const uses = usesAt(program, position, among);
  if (target.kind !== "global") refuseClash(program, uses, name);
  for (const one of [program, ...among]) refuseHarm(one, uses, name, host);
  const changes: Record<string, TextEdit[]> = {};
  const seen = new Set<string>();
  for (const { location } of uses) {
    const key = JSON.stringify(location);
    if (seen.has(key)) continue; // programs share files
    seen.add(key);
    (changes[location.uri] ??= []).push({ range: location.range, newText: name });
  }
  return { changes };
}

/** In a declaration that knows the name already, one thing would be taken for the other. */
function refuseClash(program: Program, uses: readonly Use[], name: string): void {
  for (const { items } of program.checked.declarations.files.values())
    for (const item of items) {
      const own = occurrencesIn(item);
      const clash = own.find((each) => each.name === name && isPlain(each));
      const touched = own.some(
        (each) =>
          isPlain(each) &&
          uses.some(({ span }) => {
            const { source, start } = program.place(each.span);
            return span.source === source && span.start === start;
          }),
      );
      if (clash && touched) throw new Refusal(`there is a \`${name}\` already`);
    }
}

/** Whether a name stands for something by itself: not as the name of an argument or a key. */
const isPlain = ({ target }: Occurrence): boolean =>
  target.kind === "local" || target.kind === "global" || target.kind === "word";

/** Checks a program as it would be: it must have no other mistakes than before, and the same models. */
function refuseHarm(program: Program, uses: readonly Use[], name: string, host: Host): void {
  const changed = new Map<string, string>();
  for (const path of program.checked.declarations.files.keys()) {
    const own = new Map(
      uses.filter(({ span }) => span.source === path).map((use) => [use.span.start, use.span]),
    );
    let text = program.checked.sources.get(path)!;
    for (const { start, end } of [...own.values()].sort((a, b) => b.start - a.start))
      text = text.slice(0, start) + name + text.slice(end);
    if (own.size > 0) changed.set(path, text);
  }
  if (changed.size === 0) return;
  const after = check(
    { ...host, readText: (path) => changed.get(path) ?? host.readText(path) },
    program.path,
  );
  const before = countByCode(program.checked.diagnostics);
  for (const [code, number] of countByCode(after.diagnostics)) {
    if (number <= (before.get(code) ?? 0)) continue;
    const { title } = after.diagnostics.find((each) => each.code === code)!;
    throw new Refusal(`\`${name}\` does not fit here: ${title} (${code})`);
  }
  if (after.declarations.blocks.length !== program.checked.declarations.blocks.length)
    throw new Refusal(`\`${name}\` is taken`);
}

function countByCode(diagnostics: readonly { readonly code: string }[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { code } of diagnostics) counts.set(code, (counts.get(code) ?? 0) + 1);
  return counts;
}
