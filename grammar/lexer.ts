/**
 * Text to tokens and comments. Written by hand over the token table (Chevrotain accepts any lexer): it
 * starts in no time, and total behaviour on hostile bytes is easy to see. Comments are kept aside;
 * line breaks are tokens, of which the layout pass keeps those that end a statement.
 */

import { messages } from "../compiler/diagnostics/messages.generated.js";
import type { Comment } from "./ast.js";
import { characterHint } from "./hints.js";
import { checkNumber, checkString } from "./literals.js";
import type { Problems } from "./problems.js";
import { numberPattern, tokenNames, tokenTable, wordPattern } from "./tokens.js";
import { makeToken, types, type Token } from "./vocabulary.js";
import type { TokenType } from "chevrotain";

/** Beyond these a file is not a program; the first 10 000 lines of a real one are far below both. */
const longestText = 4_000_000;
const mostTokens = 500_000;

export interface Lexed {
  readonly tokens: readonly Token[];
  readonly comments: readonly Comment[];
}

const words = new Map<string, TokenType>();
const marks = new Map<string, TokenType>();
for (const name of tokenNames) {
  const { class: kind, text } = tokenTable[name];
  if (text !== null) (kind === "mark" ? marks : words).set(text, types[name]);
}

const word = new RegExp(wordPattern, "y");
const number = new RegExp(numberPattern, "y");
const known = /[\s"/A-Za-z0-9_()[\]{}<>=!.,:+\-*^]/;

export function lex(text: string, problems: Problems): Lexed {
  const tokens: Token[] = [];
  const comments: Comment[] = [];
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  let line = 1;
  let ownLine = true;

  const push = (type: TokenType, end: number) => {
    tokens.push(makeToken(type, text.slice(at, end), at, line));
    at = end;
    ownLine = false;
  };

  while (at < text.length) {
    if (tokens.length >= mostTokens || text.length > longestText) {
      problems.report(messages.fileTooLarge(), [{ span: problems.span(0, 0), text: "" }]);
      return { tokens: [], comments: [] };
    }
    const c = text[at]!;
    if (c === "\n" || c === "\r") {
      const end = at + (text.startsWith("\r\n", at) ? 2 : 1);
      if (tokens.at(-1)?.tokenType === types.Newline) at = end;
      else push(types.Newline, end);
      ownLine = true;
      line++;
    } else if (isBlank(c)) {
      at++;
    } else if (text.startsWith("//", at)) {
      const end = endOfLine(text, at);
      comments.push({ text: text.slice(at, end).trimEnd(), span: problems.span(at, end), ownLine });
      at = end;
    } else if (c === '"') {
      const end = endOfString(text, at);
      checkString(text.slice(at, end), at, line, problems);
      push(types.String, end);
    } else if (isDigit(c)) {
      const end = matchEnd(number, text, at);
      checkNumber(text.slice(at, end), at, line, problems);
      push(types.Number, end);
    } else if (isLetter(c)) {
      const end = matchEnd(word, text, at);
      push(words.get(text.slice(at, end)) ?? types.Identifier, end);
    } else {
      const two = marks.get(text.slice(at, at + 2));
      const one = two ?? marks.get(c);
      if (one !== undefined) push(one, at + (two === undefined ? 1 : 2));
      else at = skipUnknown(text, at, line, problems);
    }
  }
  return { tokens, comments };
}

const isBlank = (c: string) => c === " " || c === "\t" || c === "\f" || c === "\v";
const isDigit = (c: string) => c >= "0" && c <= "9";
const isLetter = (c: string) => (c >= "a" && c <= "z") || (c >= "A" && c <= "Z") || c === "_";

function matchEnd(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  pattern.test(text);
  return pattern.lastIndex;
}

function endOfLine(text: string, at: number): number {
  while (at < text.length && text[at] !== "\n" && text[at] !== "\r") at++;
  return at;
}

/** Past the closing quote, or at the end of the line when there is none. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const c = text[at];
    if (c === "\n" || c === "\r") return at;
    if (c === '"') return at + 1;
    if (c === "\\" && text[at + 1] !== "\n" && text[at + 1] !== "\r") at++;
  }
  return text.length;
}

/** Skips a run of characters the language has no use for, with one report for all of them. */
function skipUnknown(text: string, start: number, line: number, problems: Problems): number {
  let end = start + 1;
  while (end < text.length && !known.test(text[end]!)) end++;
  const character = printable(text.codePointAt(start)!);
  const help = characterHint(text.slice(start, start + 2));
  problems.spoil(line);
  problems.report(
    messages.unexpectedCharacter({ character }),
    [{ span: problems.span(start, end), text: "" }],
    help,
  );
  return end;
}

/** The character itself, or its code where showing it would be invisible or ill-formed. */
function printable(code: number): string {
  const text = String.fromCodePoint(code);
  return /^[\p{L}\p{N}\p{P}\p{S}]$/u.test(text)
    ? text
    : `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}
