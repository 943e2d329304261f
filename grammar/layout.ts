/**
 * Decides which line breaks end a statement, and drops the others, so that the grammar itself is free of
 * layout. A break counts outside `(` and `[`, unless the line ends with a binary operator, `=` or `<-`, or
 * the next one starts with a binary operator other than `-`. It never counts where no statement can end:
 * around the commas and inside the ends of `{ … }`, and before `{` and `else`.
 */

import { startsStatement } from "./line-starts.js";
import { isBinaryOperator, makeToken, types, type Token } from "./vocabulary.js";

export function layout(tokens: readonly Token[]): Token[] {
  const out: Token[] = [];
  const open: Token[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (token.tokenType === types.Newline) {
      const breaks = open.length === 0 || open.at(-1)!.tokenType === types.LeftBrace;
      if (breaks && endsStatement(out.at(-1), tokens, i + 1)) {
        out.push({ ...placed(token, out), nesting: open.length });
      }
      continue;
    }
    token.nesting = open.length;
    if (
      token.tokenType === types.LeftParen ||
      token.tokenType === types.LeftBracket ||
      token.tokenType === types.LeftBrace
    ) {
      open.push(token);
    } else if (
      token.tokenType === types.RightParen ||
      token.tokenType === types.RightBracket ||
      token.tokenType === types.RightBrace
    ) {
      open.pop();
    }
    out.push(token);
  }
  return out;
}

/** A statement ends where its last token does, not behind the comment that may follow. */
function placed(newline: Token, out: readonly Token[]): Token {
  const at = out.at(-1)!.endOffset + 1;
  return { ...makeToken(types.Newline, "", at, newline.startLine) };
}

function endsStatement(before: Token | undefined, tokens: readonly Token[], next: number): boolean {
  const after = tokens[next];
  if (before === undefined || after === undefined) return false;
  switch (before.tokenType) {
    case types.Newline:
    case types.LeftBrace:
    case types.Comma:
      return false;
    case types.Equals:
    case types.Arrow:
      return startsStatement(tokens, next);
  }
  if (isBinaryOperator(before)) return startsStatement(tokens, next);
  switch (after.tokenType) {
    case types.RightBrace:
    case types.LeftBrace:
    case types.Comma:
      return false;
    case types.Else:
      return before.tokenType !== types.RightBrace;
    case types.Minus:
      return true;
  }
  return !isBinaryOperator(after);
}
