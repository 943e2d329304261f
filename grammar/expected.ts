/** Turns Chevrotain's exceptions into sentences: what was expected, what was found, and where. */

import {
  EOF,
  type IParserErrorMessageProvider,
  type IRecognitionException,
  type IToken,
  type TokenType,
} from "chevrotain";
import { messages } from "../compiler/diagnostics/messages.generated.js";
import { tokenHint } from "./hints.js";
import type { Problems } from "./problems.js";
import { types } from "./vocabulary.js";

/** What a list, block or header may go on with, where the closing token alone would mislead. */
const goingOn: Readonly<Record<string, string>> = {
  callArguments: "`,` or `)`",
  parameters: "`,` or `)`",
  parenthesized: "`,` or `)`",
  axes: "`,` or `]`",
  pairs: "`,` or `}`",
};

/** The exceptions' texts are only what was expected; `reportUnexpected` builds the sentence around it. */
export const expectations: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected, ruleName }) =>
    goingOnIn(ruleName, expected) ?? label(expected),
  buildNoViableAltMessage: ({ customUserDescription }) => customUserDescription ?? "something else",
  buildEarlyExitMessage: ({ customUserDescription }) => customUserDescription ?? "something else",
  buildNotAllInputParsedMessage: () => "the end of the file",
};

const closers = new Set<TokenType>([types.RightParen, types.RightBracket, types.RightBrace]);
const goingOnIn = (rule: string, expected: TokenType) =>
  closers.has(expected) ? goingOn[rule] : undefined;
const label = (type: TokenType) => type.LABEL ?? type.name;

export function reportException(
  error: IRecognitionException,
  previous: IToken,
  problems: Problems,
): void {
  const rule = error.context.ruleStack.at(-1) ?? "";
  reportUnexpected(error.message, error.token, previous, rule, problems);
}

export function reportUnexpected(
  expected: string,
  found: IToken,
  previous: IToken,
  rule: string,
  problems: Problems,
): void {
  if (found.image === "" && closers.has(found.tokenType)) return; // the missing bracket has been reported
  if (problems.isSpoilt(found.startLine)) return;
  const help = tokenHint(rule, found, previous);
  const message = messages.unexpectedToken({ expected, found: describe(found) });
  problems.report(message, [{ span: place(found, previous, problems), text: "" }], help);
}

/** A token as a message names it. */
export function describe(token: IToken): string {
  switch (token.tokenType) {
    case types.Newline:
      return "the end of the line";
    case types.String:
      return "a string";
    case types.Unreadable:
      return "an expression";
  }
  if (token.tokenType === EOF) return "the end of the file";
  return `\`${token.image.length > 40 ? `${token.image.slice(0, 39)}…` : token.image}\``;
}

/** What is missing at the end of a line or file is missing right behind what stands there. */
function place(found: IToken, previous: IToken, problems: Problems) {
  const missing = found.tokenType === types.Newline || found.tokenType === EOF;
  if (!missing) return problems.span(found.startOffset, found.endOffset! + 1);
  const end = Number.isFinite(previous.endOffset) ? previous.endOffset! + 1 : 0;
  return problems.span(end, end);
}
