/**
 * Makes the brackets of a token sequence balance, before the parser sees it. A forgotten bracket would
 * otherwise swallow the rest of the file: inside `(` and `[` line breaks mean nothing. So where a line
 * unmistakably begins a statement or a declaration, what is still open is reported and closed by inserted
 * tokens of no width; brackets that close nothing are reported and dropped; nesting deeper than the parser
 * should follow is reported and cut out.
 */

import { messages } from "../compiler/diagnostics/messages.generated.js";
import type { TokenType } from "chevrotain";
import { isDeclarationWord, startsDeclaration, startsStatement } from "./line-starts.js";
import type { Problems } from "./problems.js";
import { isName, makeToken, types, type Token } from "./vocabulary.js";

/** Deeper than any program, and shallow enough for every recursive walk over the tree. */
export const deepestNesting = 100;

const closers = new Map<TokenType, TokenType>([
  [types.LeftParen, types.RightParen],
  [types.LeftBracket, types.RightBracket],
  [types.LeftBrace, types.RightBrace],
]);
const closing = new Map([...closers].map(([open, close]) => [close, open]));
const closerText = new Map([
  [types.LeftParen, ")"],
  [types.LeftBracket, "]"],
  [types.LeftBrace, "}"],
]);

export const isOpener = (token: Token) => closers.has(token.tokenType);
export const isCloser = (token: Token) => closing.has(token.tokenType);

interface Open {
  readonly token: Token;
  /** The list of a declaration's parameters, where `name = default` may begin a line. */
  readonly parameters: boolean;
}

export function balance(tokens: readonly Token[], problems: Problems): Token[] {
  return new Balancer(tokens, problems).run();
}

class Balancer {
  readonly #out: Token[] = [];
  readonly #open: Open[] = [];
  #line = 1;
  /** The word that began the declaration being read. */
  #declaration: TokenType | null = null;

  constructor(
    readonly tokens: readonly Token[],
    readonly problems: Problems,
  ) {}

  run(): Token[] {
    for (let i = 0; i < this.tokens.length; i++) {
      const token = this.tokens[i]!;
      this.#line = token.startLine;
      if (i === 0 || this.tokens[i - 1]!.tokenType === types.Newline) this.#atLineStart(i);
      if (this.#open.length === 0 && isDeclarationWord(token) && isName(this.tokens[i + 1]))
        this.#declaration = token.tokenType;
      if (isOpener(token)) i = this.#opens(token, i);
      else if (isCloser(token)) this.#closes(token);
      else this.#out.push(token);
    }
    this.#closeDownTo(0, null);
    return this.#out;
  }

  /** A line that begins a declaration ends everything; one that begins a statement, every `(` and `[`. */
  #atLineStart(i: number): void {
    if (this.#open.length === 0) return;
    const amongSettings = this.#declaration !== types.Layer && this.#declaration !== types.Model;
    if (startsDeclaration(this.tokens, i, amongSettings)) this.#closeDownTo(0, this.tokens[i]!);
    if (this.#open.length > 0 && startsStatement(this.tokens, i) && !this.#meansArgument(i)) {
      const keep = this.#open.findLastIndex(
        (o) => o.parameters || o.token.tokenType === types.LeftBrace,
      );
      this.#closeDownTo(keep + 1, this.tokens[i]!);
    }
  }

  /** `name = value` on a line of its own after `(` or `,` is an argument written with the wrong sign. */
  #meansArgument(i: number): boolean {
    if (this.tokens[i + 1]!.tokenType !== types.Equals) return false;
    const before = this.#out[this.#endOfContent() - 1];
    return before?.tokenType === types.Comma || before === this.#open.at(-1)!.token;
  }

  /** Returns the index of the last token dealt with. */
  #opens(token: Token, i: number): number {
    if (token.tokenType === types.LeftBrace && this.#beginsBody(i))
      this.#closeDownTo(this.#open.length - 1, token);
    if (this.#open.length >= deepestNesting) return this.#cutOut(i);
    this.#open.push({
      token,
      parameters: token.tokenType === types.LeftParen && this.#afterDeclaredName(i),
    });
    this.#out.push(token);
    return i;
  }

  /** `layer Name` or `model Name` stands right before token `i`. */
  #afterDeclaredName(i: number): boolean {
    const word = this.tokens[i - 2]?.tokenType;
    return this.#open.length === 0 && (word === types.Layer || word === types.Model);
  }

  /** A `{` straight after a parameter (`layer A(x: [width] {`) can only begin the layer's body. */
  #beginsBody(i: number): boolean {
    if (this.#open.at(-1)?.parameters !== true) return false;
    for (let k = i - 1; k >= 0; k--) {
      const type = this.tokens[k]!.tokenType;
      if (type === types.If || type === types.Else || type === types.Mix || type === types.Equals)
        return false;
      if (type === types.Comma || type === types.LeftParen || type === types.RightParen) break;
    }
    return true;
  }

  #closes(token: Token): void {
    const opener = closing.get(token.tokenType)!;
    const wall =
      opener === types.LeftBrace
        ? -1
        : this.#open.findLastIndex((o) => o.token.tokenType === types.LeftBrace);
    const match = this.#open.findLastIndex((o) => o.token.tokenType === opener);
    if (match <= wall) {
      const span = this.problems.span(token.startOffset, token.endOffset + 1);
      this.problems.report(messages.unopenedBracket({ bracket: token.image }), [
        { span, text: "closes nothing" },
      ]);
      return;
    }
    this.#closeDownTo(match + 1, token);
    this.#open.pop();
    this.#out.push(token);
  }

  /** Closes all but the outermost `keep` brackets, because of what stands at `before` (null: the end). */
  #closeDownTo(keep: number, before: Token | null): void {
    while (this.#open.length > keep) {
      const { token } = this.#open.pop()!;
      const closer = closerText.get(token.tokenType)!;
      const labels = [
        { span: this.problems.span(token.startOffset, token.endOffset + 1), text: "opened here" },
      ];
      if (before !== null) {
        const span = this.problems.span(before.startOffset, before.endOffset + 1);
        labels.push({ span, text: `expected \`${closer}\` before this` });
      }
      const end = this.#out[this.#endOfContent() - 1]!.startLine;
      if (token.tokenType !== types.LeftBrace) this.problems.spoil(token.startLine, end);
      this.problems.report(messages.unclosedBracket({ bracket: token.image, closer }), labels);
      this.#out.splice(this.#endOfContent(), 0, this.#inserted(token.tokenType));
    }
  }

  /** An inserted bracket goes before the line breaks that end the output, so as to stand where it was forgotten. */
  #endOfContent(): number {
    let end = this.#out.length;
    while (end > 0 && this.#out[end - 1]!.tokenType === types.Newline) end--;
    return end;
  }

  #inserted(opener: TokenType): Token {
    const previous = this.#out[this.#endOfContent() - 1];
    const at = previous === undefined ? 0 : previous.endOffset + 1;
    return makeToken(closers.get(opener)!, "", at, previous?.startLine ?? this.#line);
  }

  /** Replaces a bracket that is too deep, and all in it, by one token that stands for an expression. */
  #cutOut(i: number): number {
    const first = this.tokens[i]!;
    this.problems.report(messages.nestingTooDeep({ limit: deepestNesting }), [
      { span: this.problems.span(first.startOffset, first.endOffset + 1), text: "" },
    ]);
    let depth = 0;
    let last = i;
    for (; last < this.tokens.length; last++) {
      if (isOpener(this.tokens[last]!)) depth++;
      else if (isCloser(this.tokens[last]!) && --depth === 0) break;
    }
    const end = this.tokens[Math.min(last, this.tokens.length - 1)]!.endOffset + 1;
    this.#out.push({
      ...makeToken(types.Unreadable, first.image, first.startOffset, first.startLine),
      endOffset: end - 1,
    });
    return last;
  }
}
