/** Quick fixes: the help of a message, where it is an edit. */

import type { CodeAction, Diagnostic, Range } from "vscode-languageserver-types";
import { diagnostics } from "./diagnostics.js";
import type { Program } from "../program.js";

export function codeActions(program: Program, { start, end }: Range): CodeAction[] {
  const [from, to] = [program.offsetAt(start), program.offsetAt(end)];
  const told = diagnostics(program).get(program.path)!;
  return program.checked.diagnostics.flatMap(({ code, edit, labels }): CodeAction[] => {
    if (!edit || program.isLibrary(edit.span)) return [];
    const [first] = labels;
    const near = [first?.span, edit.span].some(
      (span) => span?.source === program.path && span.start <= to && from <= span.end,
    );
    if (!near) return [];
    const { uri, range } = program.location(edit.span);
    const about = told.filter((each) => each.code === code && touches(each, range));
    return [
      {
        title: `Write \`${edit.text}\``,
        kind: "quickfix",
        diagnostics: about,
        isPreferred: true,
        edit: { changes: { [uri]: [{ range, newText: edit.text }] } },
      },
    ];
  });
}

const touches = ({ range }: Diagnostic, other: Range): boolean =>
  range.start.line <= other.end.line && other.start.line <= range.end.line;
