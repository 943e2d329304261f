/**
 * Recognises, from its first few tokens, a line that can be nothing but the beginning of a statement or a
 * declaration. Error recovery hangs on it: whatever is still open or unfinished there was forgotten.
 */

import { declarationWords, tokenTable } from "./tokens.js";
import { isName, types, type Token } from "./vocabulary.js";

const declarations = new Set(
  Object.entries(tokenTable)
    .filter(([, row]) => (declarationWords as readonly (string | null)[]).includes(row.text))
    .map(([name]) => types[name as keyof typeof tokenTable]),
);

/** How far a header may reach; a bound, so that a hostile file cannot make every line look ahead to its end. */
const longestHeader = 400;

export const isDeclarationWord = (token: Token) => declarations.has(token.tokenType);

/** `name =`, `name <-`, `state name:` or `route name =`; of `state at chunk(16)`, `state` may be an operand. */
export function startsStatement(tokens: readonly Token[], i: number): boolean {
  const [first, second] = [tokens[i], tokens[i + 1]];
  if (!isName(first) || second === undefined) return false;
  if (second.tokenType === types.Equals || second.tokenType === types.Arrow) return true;
  const third = tokens[i + 2]?.tokenType;
  if (first!.tokenType === types.State) return isName(second) && third === types.Colon;
  return first!.tokenType === types.Route && isName(second) && third === types.Equals;
}

/**
 * A header: `layer Name(`, `data name {`, `parallel name on`, `use "…"`. Among settings all of these words may
 * be keys, so there it takes a header that goes on to its `{`.
 */
export function startsDeclaration(
  tokens: readonly Token[],
  i: number,
  amongSettings: boolean,
): boolean {
  const first = tokens[i];
  if (first === undefined || !isDeclarationWord(first)) return false;
  if (first.tokenType === types.Use)
    return !amongSettings && tokens[i + 1]?.tokenType === types.String;
  if (!isName(tokens[i + 1])) return false;
  const third = tokens[i + 2]?.tokenType;
  if (third === types.LeftBrace) return true;
  if (third === types.On) return !amongSettings && first.tokenType === types.Parallel;
  return third === types.LeftParen && (!amongSettings || bodyFollows(tokens, i + 2));
}

/** Whether the parenthesis at `i` closes and a `{` comes next. */
function bodyFollows(tokens: readonly Token[], i: number): boolean {
  let depth = 0;
  for (let k = i; k < tokens.length && k < i + longestHeader; k++) {
    const type = tokens[k]!.tokenType;
    if (type === types.LeftParen) depth++;
    else if (type === types.RightParen && --depth === 0) {
      while (tokens[k + 1]?.tokenType === types.Newline) k++;
      return tokens[k + 1]?.tokenType === types.LeftBrace;
    }
  }
  return false;
}
