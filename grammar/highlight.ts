/**
 * The TextMate grammar that editors colour programs by, made from the token table. Contextual keywords are
 * coloured where something follows them that a name could not be followed by.
 */

import {
  numberPattern,
  stringEscapes,
  tokenNames,
  tokenTable,
  wordPattern,
  type TokenRow,
} from "./tokens.js";

/** A rule of a TextMate grammar. */
export interface Pattern {
  readonly name?: string;
  readonly match?: string;
  readonly begin?: string;
  readonly end?: string;
  readonly captures?: Readonly<Record<string, { readonly name: string }>>;
  readonly patterns?: readonly Pattern[];
}

const word = wordPattern.source;
const scoped = (scope: string | null) => `${scope}.lsm`;

export function highlighting() {
  return {
    name: "lsm",
    scopeName: "source.lsm",
    fileTypes: ["lsm"],
    patterns: [
      { name: scoped("comment.line.documentation"), match: "///(?!/).*$" },
      { name: scoped("comment.line.double-slash"), match: "//.*$" },
      string(),
      { name: scoped(tokenTable.Number.scope), match: `\\b${numberPattern.source}` },
      ...byScope((row) => row.class === "contextual").map(([scope, rows]) =>
        contextual(scope, rows),
      ),
      ...byScope((row) => row.class === "reserved").map(([scope, rows]) => ({
        name: scoped(scope),
        match: `\\b(?:${alternatives(rows)})\\b`,
      })),
      { name: scoped("constant.language"), match: "\\b(?:true|false|none)\\b" },
      { name: scoped("variable.parameter"), match: `\\b${word}(?=\\s*:)` },
      { name: scoped("entity.name.function"), match: `\\b${word}(?=\\()` },
      { name: scoped(tokenTable.Identifier.scope), match: `\\b${word}` },
      ...marks().map(({ scope, text }) => ({ name: scoped(scope), match: escape(text!) })),
    ] satisfies readonly Pattern[],
  };
}

function string(): Pattern {
  const escapes = Object.keys(stringEscapes).map(escape).join("|");
  return {
    name: scoped(tokenTable.String.scope),
    begin: '"',
    end: '"|$',
    patterns: [
      { name: scoped("constant.character.escape"), match: `\\\\(?:${escapes})` },
      { name: scoped("invalid.illegal.escape"), match: "\\\\." },
    ],
  };
}

/** What a declaring word declares is coloured, too; other words need a value or a name behind them. */
function contextual(scope: string, rows: readonly TokenRow[]): Pattern {
  const words = `\\b(${alternatives(rows)})`;
  if (scope === "keyword.declaration" || scope === "storage.type") {
    const named = scope === "storage.type" ? "variable.other.declaration" : "entity.name.type";
    return {
      match: `${words}[ \\t]+(${word})`,
      captures: { 1: { name: scoped(scope) }, 2: { name: scoped(named) } },
    };
  }
  return { name: scoped(scope), match: `${words}(?=[ \\t]+[\\w"(\\[{-])` };
}

/** Longer ones first, so that `=` does not take the beginning of `==`. */
function marks(): TokenRow[] {
  const rows = tokenNames
    .map((name): TokenRow => tokenTable[name])
    .filter((row) => row.class === "mark");
  return rows.sort((a, b) => b.text!.length - a.text!.length);
}

/** The words of a kind by their scopes. */
function byScope(chosen: (row: TokenRow) => boolean): [string, TokenRow[]][] {
  const groups = new Map<string, TokenRow[]>();
  for (const name of tokenNames) {
    const row: TokenRow = tokenTable[name];
    if (row.scope !== null && chosen(row))
      groups.set(row.scope, [...(groups.get(row.scope) ?? []), row]);
  }
  return [...groups];
}

const alternatives = (rows: readonly TokenRow[]) => rows.map(({ text }) => text).join("|");

const escape = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
