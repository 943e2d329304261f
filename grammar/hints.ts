/** One line of help for mistakes that people bring along from other languages. */

import type { IToken } from "chevrotain";
import { isBinaryOperator, types } from "./vocabulary.js";

const characters: Readonly<Record<string, string>> = {
  "&": "write `and`",
  "|": "write `or`",
  "!": "write `not`",
  ";": "a new line ends a statement; no `;` is needed",
  "#": "comments start with `//`",
  "'": 'strings stand in double quotes: "…"',
  "`": 'strings stand in double quotes: "…"',
  "“": 'strings stand in straight double quotes: "…"',
  "”": 'strings stand in straight double quotes: "…"',
  "−": "this is a typographic minus; write `-`",
  "–": "this is a dash; write `-`",
  "×": "write `*`",
  "·": "write `*`",
  "÷": "write `/`",
  "≤": "write `<=`",
  "≥": "write `>=`",
  "≠": "write `!=`",
  "←": "write `<-`",
  "…": "this stands for something left out; write it in full",
  "@": "a contraction is written `dot(a, b, axis)`",
  "\u00a0": "this is a no-break space; use an ordinary one",
};

/** For a character the language has no use for; `text` begins with it. */
export function characterHint(text: string): string | null {
  const letter = /^\p{L}/u.test(text)
    ? "names are made of `A`–`Z`, `a`–`z`, `0`–`9` and `_`"
    : null;
  return characters[text[0]!] ?? letter;
}

/** For a token that does not fit: `rule` is the grammar rule that met it, `previous` what came before. */
export function tokenHint(rule: string, found: IToken, previous: IToken): string | null {
  const type = found.tokenType;
  if (type === types.Times && previous.tokenType === types.Times) return "a power is written `^`";
  if (type === types.Dot)
    return "a number starts with a digit: `0.5`; a member follows its owner: `S.prev`";
  if (type === types.Else) return "`else` follows the `}` of an `if`";
  if (rule === "callArguments" && type === types.Equals)
    return "an argument goes by name with a colon: `name: value`";
  if (rule === "pairs" && type === types.Equals)
    return "a pair is written with a colon: `name: value`";
  if (rule === "use") return 'a file is named in quotes: `use "layers.lsm"`';
  if (rule === "parameters" || rule === "parameter")
    return "parameters read `x: [axes]`, `name`, `name = default`";
  if (rule === "settings") {
    if (type === types.Equals || type === types.Colon || type === types.Arrow) {
      return "a setting is its key and its value, with nothing between: `batch 256`";
    }
    if (type === types.Comma) return "settings are separated by blanks or line breaks";
    if (isBinaryOperator(found))
      return "a setting's value is one item; put a calculation in parentheses: `(4 * 64)`";
  }
  if (rule === "body" && type === types.Comma) return "one name is assigned at a time";
  return null;
}
