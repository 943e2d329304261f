/** Diagnostics of a program by the documents they belong to. */

import { type Diagnostic, DiagnosticSeverity } from "vscode-languageserver-types";
import type { Diagnostic as Mistake } from "../../diagnostics/diagnostic.js";
import type { Program } from "../program.js";

/** Every file of the program by its path, those without mistakes included. */
export function diagnostics(program: Program): Map<string, Diagnostic[]> {
  const { declarations, diagnostics: found } = program.checked;
  const byFile = new Map<string, Diagnostic[]>(
    [...declarations.files.keys()].map((path) => [path, []]),
  );
  for (const mistake of found) {
    // what the library says is said about the program that uses it
    const source = mistake.labels[0]?.span.source ?? program.path;
    (byFile.get(source) ?? byFile.get(program.path)!).push(toProtocol(mistake, source, program));
  }
  return byFile;
}

function toProtocol(mistake: Mistake, source: string, program: Program): Diagnostic {
  const { code, severity, title, help, labels } = mistake;
  const [first, ...others] = labels;
  const own = first && program.checked.declarations.files.has(source);
  const said = first && first.text !== "" ? `${title}: ${first.text}` : title;
  return {
    range: own
      ? program.range(source, first.span.start, first.span.end)
      : program.range(program.path, 0, 0),
    severity: severity === "error" ? DiagnosticSeverity.Error : DiagnosticSeverity.Warning,
    code,
    source: "lsm",
    message: help === null ? said : `${said}\nhelp: ${help}`,
    relatedInformation: others.map(({ span, text }) => ({
      location: program.location(span),
      message: text === "" ? "here" : text,
    })),
  };
}
