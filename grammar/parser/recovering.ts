/**
 * What the grammar's rules share: spans, and error recovery. Chevrotain's own recovery guesses from follow
 * sets; in a language of lines the better answer is known. A guarded piece that fails is reported once, the
 * parser moves on to where the piece must have ended (brackets balance, so that is easy to find), and the
 * rule goes on with a stand-in.
 */

import {
  EmbeddedActionsParser,
  EOF,
  isRecognitionException,
  type IToken,
  type ParserMethod,
  type TokenType,
} from "chevrotain";
import type { ErrorNode, Identifier, Span, StringLiteral } from "../ast.js";
import { expectations, reportException, reportUnexpected } from "../expected.js";
import { stringValue } from "../literals.js";
import { Problems } from "../problems.js";
import { isName, types, vocabulary, type Token } from "../vocabulary.js";

export type Rule<T> = ParserMethod<[], T>;

const closers = new Set<TokenType>([types.RightParen, types.RightBracket, types.RightBrace]);

/** Moves on from an error in a piece that began with the given token. */
type Skip = (first: IToken) => void;

export abstract class RecoveringParser extends EmbeddedActionsParser {
  protected problems = new Problems("");

  /**
   * One token of lookahead keeps the analysis of the grammar short; gates look further where it takes more.
   * `validate` checks the grammar itself for ambiguities: for tests, as it costs more than a parse.
   */
  constructor(validate: boolean) {
    super(vocabulary, {
      maxLookahead: 1,
      skipValidations: !validate,
      errorMessageProvider: expectations,
    });
  }

  protected at(type: TokenType, ahead = 1): boolean {
    return this.LA(ahead).tokenType === type;
  }

  protected atName(ahead = 1): boolean {
    return isName(this.LA(ahead));
  }

  protected get ended(): boolean {
    return this.LA(1).tokenType === EOF;
  }

  /** Whether the next token stands on the line of the one before it: what a call's `(` must do. */
  protected sameLine(): boolean {
    return this.LA(1).startLine === this.LA(0).startLine;
  }

  /** From `first` to the token consumed last. */
  protected spanFrom(first: IToken): Span {
    const start = first.startOffset;
    return this.problems.span(start, Math.max(start, this.LA(0).endOffset! + 1));
  }

  protected spanOf(token: IToken): Span {
    return this.problems.span(token.startOffset, token.endOffset! + 1);
  }

  protected identifier(token: IToken): Identifier {
    return { name: token.image, span: this.spanOf(token) };
  }

  protected stringLiteral(token: IToken): StringLiteral {
    return { kind: "string", value: stringValue(token.image), span: this.spanOf(token) };
  }

  protected errorFrom(first: IToken): ErrorNode {
    return { kind: "error", span: this.spanFrom(first) };
  }

  /** Reports that the next token does not fit. */
  protected unexpected(expected: string, rule: string): void {
    reportUnexpected(expected, this.LA(1), this.LA(0), rule, this.problems);
  }

  /**
   * Parses with `parse`. When that fails: reports it, skips to the end of the enclosing statement or list,
   * and returns what `standIn` makes of the first token skipped.
   */
  protected guard<T>(
    parse: () => T,
    standIn: (first: IToken) => T,
    skip: Skip = (at) => this.skipStatement(at),
  ): T {
    const first = this.LA(1);
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof Error) || !isRecognitionException(error)) throw error;
      reportException(error as never, this.LA(0), this.problems);
      if (this.problems.full) this.giveUp();
      else skip(first);
      return standIn(first);
    }
  }

  /** Moves to the end of the statement that `first` belongs to. */
  protected skipStatement(first: IToken): void {
    this.skipFrom(first, () => this.at(types.Newline));
  }

  /** Moves to the end of the list element that `first` belongs to. */
  protected skipElement(first: IToken): void {
    this.skipFrom(first, () => this.at(types.Comma));
  }

  /**
   * Skips until `stop` holds at the nesting of `first`, or the bracket around it closes. Brackets balance, so
   * this finds the end of the piece however deep inside it the error was.
   */
  protected skipFrom(first: IToken, stop: () => boolean): void {
    const nesting = nestingOf(first);
    while (!this.ended) {
      const next = this.LA(1);
      if (nestingOf(next) <= nesting && (closers.has(next.tokenType) || stop())) return;
      this.SKIP_TOKEN();
    }
  }

  /** Moves to the end of the file: enough has been reported. */
  private giveUp(): void {
    while (!this.ended) this.SKIP_TOKEN();
  }
}

const nestingOf = (token: IToken) => (token as Token).nesting;
