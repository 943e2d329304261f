/**
 * Where the cursor is, from the tokens before it: what is open, of what call, and what has been given. While
 * somebody types, the syntax tree around the cursor is broken more often than not; the tokens are not.
 */

import { lex } from "../../../grammar/lexer.js";
import { Problems } from "../../../grammar/problems.js";
import { declarationWords } from "../../../grammar/tokens.js";
import { type Token, isName, types } from "../../../grammar/vocabulary.js";

export interface Open {
  readonly bracket: "(" | "[" | "{";
  /** The word directly before the bracket: a callee, or the key of a setting. */
  readonly before: string | null;
  /** Of a declaration's braces or header: `layer`, `train`, …. */
  readonly declaration: string | null;
  /** Where the bracket is. */
  readonly at: number;
  /** The tokens behind it, without those in brackets that are closed again. */
  readonly tokens: readonly Token[];
}

export interface Context {
  /** The brackets that are open at the cursor, innermost first. */
  readonly open: readonly Open[];
  /** Tokens before the cursor that are in no bracket. */
  readonly outside: readonly Token[];
  /** What has been typed of the word at the cursor. */
  readonly word: string;
  /** Whether the cursor is in a comment or a text. */
  readonly quiet: boolean;
  /** What is written of the text that the cursor is in, without its quote; null where it is in none. */
  readonly text: string | null;
}

const closers: Readonly<Record<string, string>> = { ")": "(", "]": "[", "}": "{" };

interface Mutable extends Omit<Open, "tokens"> {
  readonly tokens: Token[];
}

export function contextAt(text: string, offset: number): Context {
  const { tokens, comments } = lex(text, new Problems(""));
  const before = tokens.filter(({ startOffset }) => startOffset < offset);
  const last = before.at(-1);
  const touches = last !== undefined && last.endOffset + 1 >= offset;
  const word = touches && isName(last) ? text.slice(last.startOffset, offset) : "";
  const inText =
    last?.tokenType === types.String && (last.endOffset >= offset || (touches && isOpen(last)));
  const written = inText ? text.slice(last.startOffset + 1, offset) : null;
  const quiet = inText || comments.some(({ span }) => span.start < offset && offset <= span.end);
  const root: Mutable = { bracket: "{", before: null, declaration: null, at: -1, tokens: [] };
  const open: Mutable[] = [];
  for (const token of word === "" && !inText ? before : before.slice(0, -1)) {
    const inner = open.at(-1) ?? root;
    if (token.image === "(" || token.image === "[" || token.image === "{")
      open.push(opened(token, token.image, inner, open.length));
    else if (closers[token.image] !== undefined) close(open, closers[token.image]!);
    else inner.tokens.push(token);
  }
  return { open: open.reverse(), outside: root.tokens, word, quiet, text: written };
}

/** Whether a text has no quote at its end yet. */
const isOpen = ({ image }: Token): boolean => image.length === 1 || !/[^\\]"$/.test(image);

function opened(token: Token, bracket: Open["bracket"], inner: Mutable, depth: number): Mutable {
  const previous = inner.tokens.at(-1);
  const adjacent = bracket === "{" || previous?.endOffset === token.startOffset - 1;
  const line = lineOf(inner.tokens);
  const word = line.find(({ image }) => (declarationWords as readonly string[]).includes(image));
  return {
    bracket,
    before: adjacent && previous && isName(previous) ? previous.image : null,
    declaration: depth === 0 ? (word?.image ?? null) : null,
    at: token.startOffset,
    tokens: [],
  };
}

function close(open: Mutable[], bracket: string): void {
  const at = open.findLastIndex((each) => each.bracket === bracket);
  if (at >= 0) open.splice(at);
}

/** The tokens since the last end of a line. */
export function lineOf(tokens: readonly Token[]): readonly Token[] {
  return tokens.slice(tokens.findLastIndex(({ tokenType }) => tokenType === types.Newline) + 1);
}

/** What stands before the cursor since the last comma: the argument that is being written. */
export interface Argument {
  readonly index: number;
  /** Its name, once its colon is there. */
  readonly name: string | null;
  /** Names that other arguments have. */
  readonly given: readonly string[];
  /** Nothing has been written of its value. */
  readonly fresh: boolean;
}

export function argumentAt({ tokens }: Open): Argument {
  const plain = tokens.filter(({ tokenType }) => tokenType !== types.Newline);
  const parts: Token[][] = [[]];
  for (const token of plain)
    if (token.tokenType === types.Comma) parts.push([]);
    else parts.at(-1)!.push(token);
  const nameOf = (part: readonly Token[]): string | null =>
    part[1]?.tokenType === types.Colon && isName(part[0]) ? part[0]!.image : null;
  const current = parts.at(-1)!;
  return {
    index: parts.length - 1,
    name: nameOf(current),
    given: parts.slice(0, -1).flatMap((part) => nameOf(part) ?? []),
    fresh: current.length === 0,
  };
}
