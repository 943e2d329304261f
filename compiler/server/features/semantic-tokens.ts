/** Semantic tokens: what each name is, which the colours of a grammar alone cannot know. */

import type { SemanticTokens } from "vscode-languageserver-types";
import { type LocalKind, type Occurrence, occurrencesIn } from "../names/bind.js";
import { meaningOf } from "../names/resolve.js";
import type { Program } from "../program.js";

export const tokenTypes = [
  "class",
  "function",
  "parameter",
  "variable",
  "property",
  "enumMember",
  "typeParameter",
  "namespace",
  "keyword",
] as const;
type TokenType = (typeof tokenTypes)[number];

export const tokenModifiers = ["declaration", "defaultLibrary", "modification"] as const;
type TokenModifier = (typeof tokenModifiers)[number];

const ofLocal: Readonly<Record<LocalKind, TokenType>> = {
  input: "parameter",
  parameter: "parameter",
  size: "typeParameter",
  value: "variable",
  state: "property",
  route: "variable",
  choice: "variable",
  axis: "typeParameter",
};

interface Token {
  readonly type: TokenType;
  readonly modifiers: readonly TokenModifier[];
}

export function semanticTokens(program: Program): SemanticTokens {
  const data: number[] = [];
  let [line, character] = [0, 0];
  let last = -1;
  for (const { occurrence, start, end } of placedNames(program)) {
    const token = tokenOf(occurrence, program);
    if (!token || start < last) continue; // names do not overlap, except in what could not be read
    last = end;
    const at = program.range(program.path, start, end).start;
    const fresh = at.line !== line;
    data.push(
      at.line - line,
      fresh ? at.character : at.character - character,
      end - start,
      tokenTypes.indexOf(token.type),
      token.modifiers.reduce((bits, each) => bits | (1 << tokenModifiers.indexOf(each)), 0),
    );
    [line, character] = [at.line, at.character];
  }
  return { data };
}

function placedNames(program: Program) {
  return program.file.items
    .flatMap((item) =>
      occurrencesIn(item).map((occurrence) => {
        const { start, end } = program.place(occurrence.span);
        return { occurrence, start, end };
      }),
    )
    .sort((a, b) => a.start - b.start);
}

function tokenOf({ target, defines }: Occurrence, program: Program): Token | null {
  const meaning = meaningOf(target, program);
  const declaration: TokenModifier[] = defines ? ["declaration"] : [];
  switch (meaning?.kind) {
    case undefined:
      return null;
    case "local":
      return { type: ofLocal[meaning.local.kind], modifiers: declaration };
    case "declared": {
      const library = program.isLibrary(meaning.item.span);
      const type = meaning.item.kind === "layer" ? "class" : "namespace";
      return {
        type,
        modifiers: [...declaration, ...(library ? (["defaultLibrary"] as const) : [])],
      };
    }
    case "builtin":
      return { type: "function", modifiers: ["defaultLibrary"] };
    case "parameter":
    case "builtin-parameter":
      return { type: "parameter", modifiers: [] };
    case "key":
      return { type: "property", modifiers: [] };
    case "choice":
      return { type: "enumMember", modifiers: [] };
    case "word":
      return { type: "keyword", modifiers: [] };
  }
}
