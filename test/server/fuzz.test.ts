/** Whatever is typed, every feature answers, with places inside the text. `FUZZ=10000` types more. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Position, Range } from "vscode-languageserver-types";
import { codeActions } from "../../compiler/server/features/code-actions.js";
import { completion } from "../../compiler/server/features/completion/completion.js";
import { definition } from "../../compiler/server/features/definition.js";
import { diagnostics } from "../../compiler/server/features/diagnostics.js";
import { documentSymbols } from "../../compiler/server/features/document-symbols.js";
import { foldingRanges } from "../../compiler/server/features/folding.js";
import { hover } from "../../compiler/server/features/hover.js";
import { inlayHints } from "../../compiler/server/features/inlay-hints.js";
import { references } from "../../compiler/server/features/references.js";
import { Refusal, rename } from "../../compiler/server/features/rename.js";
import { selectionRange } from "../../compiler/server/features/selection-ranges.js";
import { semanticTokens } from "../../compiler/server/features/semantic-tokens.js";
import { signatureHelp } from "../../compiler/server/features/signature-help.js";
import type { Program } from "../../compiler/server/program.js";
import { RandomStream } from "../../runtime/random/stream.js";
import { open, positionAt } from "../support/server/editor.js";

const root = join(import.meta.dirname, "../..");
const text = ["stdlib/mom.lsm", "examples/moby/moby.lsm"]
  .map((path) => readFileSync(join(root, path), "utf8"))
  .join("\n")
  .replace("layer MoM(", "layer Own(")
  .replace("GLA(", "Own(");
const typed = [
  "",
  "q",
  "(",
  ")",
  "{",
  "}",
  "[",
  "]",
  ", ",
  ": ",
  "\n",
  "//",
  '"',
  ".",
  "= ",
  "<- ",
  "linear(",
  "heads",
  "\r\n",
  "é",
];
const edits = Number(process.env["FUZZ"] ?? 60);

test("every feature answers after every edit", { timeout: 60_000 + edits * 500 }, () => {
  const random = new RandomStream(Number(process.env["SEED"] ?? 1), "typing");
  const below = (n: number) => Math.floor(random.uniform() * n);
  const { workspace } = open(text);
  for (let i = 0; i < edits; i += 1) {
    const before = workspace.documents.get("a.lsm")!.getText();
    const start = below(before.length);
    const end = Math.min(before.length, start + below(8));
    const document = workspace.documents.get("a.lsm")!;
    const range = { start: document.positionAt(start), end: document.positionAt(end) };
    const whole = i % 12 === 11;
    workspace.change("file:a.lsm", i + 2, [
      whole ? { text } : { range, text: typed[below(typed.length)]! },
    ]);
    const program = workspace.program("a.lsm")!;
    const at = positionAt(program.text, start + 1);
    try {
      for (const found of rangesOf(askEverything(program, at)))
        expect(inside(found, program)).toBe(true);
      renameOrRefuse(program, at, workspace);
    } catch (error) {
      throw new Error(`${String(error)}\nat ${JSON.stringify(at)} of\n${program.text}`, {
        cause: error,
      });
    }
  }
});

function askEverything(program: Program, at: Position): unknown[] {
  const all: Range = { start: { line: 0, character: 0 }, end: { line: 999, character: 0 } };
  for (const { startLine, endLine } of foldingRanges(program))
    expect(endLine).toBeGreaterThan(startLine);
  expect(Math.min(0, ...semanticTokens(program).data)).toBe(0);
  definition(program, at);
  signatureHelp(program, at);
  return [
    [...diagnostics(program).values()],
    hover(program, at),
    completion(program, at),
    references(program, at, true),
    documentSymbols(program),
    selectionRange(program, at),
    codeActions(program, all),
    inlayHints(program, all).map(({ position }) => ({ range: { start: position, end: position } })),
  ];
}

function renameOrRefuse(
  program: Program,
  at: Position,
  workspace: ReturnType<typeof open>["workspace"],
): void {
  try {
    rename(program, at, "fresh_name", [], workspace.host);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}

/** Everything called `range` in an answer. */
function rangesOf(answer: unknown): Range[] {
  if (typeof answer !== "object" || answer === null) return [];
  return Object.entries(answer).flatMap(([key, value]) =>
    key === "range" ? [value as Range] : key === "location" ? [] : rangesOf(value),
  );
}

function inside({ start, end }: Range, program: Program): boolean {
  const lines = program.text.split(/\r\n|\r|\n/);
  const fits = ({ line, character }: Position) =>
    line < lines.length && character <= lines[line]!.length;
  const ordered =
    start.line < end.line || (start.line === end.line && start.character <= end.character);
  return ordered && fits(start) && fits(end);
}
