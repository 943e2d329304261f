/**
 * What the grammar's rules share: spans, and error recovery. Chevrotain's own recovery guesses from follow
 * sets; in a language of lines the better answer is known. A guarded piece that fails is reported once, the
 * parser moves on to where the piece must have ended (brackets balance, so that is easy to find), and the
 * rule goes on with a stand-in.
 */

import { EmbeddedActionsParser, EOF, isRecognitionException, type IToken, type ParserMethod, type TokenType } from "chevrotain";
import type { ErrorNode, Identifier, Span, StringLiteral } from "../ast.js";
import { expectations, reportException, reportUnexpected } from "../expected.js";
import { stringValue } from "../literals.js";
import { Problems } from "../problems.js";
import { isName, types, vocabulary } from "../vocabulary.js";

export type Rule<T> = ParserMethod<[], T>;

const openers = new Set<TokenType>([types.LeftParen, types.LeftBracket, types.LeftBrace]);
const closers = new Set<TokenType>([types.RightParen, types.RightBracket, types.RightBrace]);

export abstract class RecoveringParser extends EmbeddedActionsParser {
  protected problems = new Problems("");

  /** `validate` checks the grammar itself for ambiguities: for tests, as it costs more than a parse. */
  constructor(validate: boolean) {
    super(vocabulary, { maxLookahead: 2, skipValidations: !validate, errorMessageProvider: expectations });
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
  protected guard<T>(parse: () => T, standIn: (first: IToken) => T, skip = () => this.skipStatement()): T {
    const first = this.LA(1);
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof Error) || !isRecognitionException(error)) throw error;
      reportException(error as never, this.LA(0), this.problems);
      skip();
      return standIn(first);
    }
  }

  /** Moves to the line break, closing bracket or end of file that ends what has been entered. */
  protected skipStatement(after?: IToken): void {
    this.skipWhile(() => !this.at(types.Newline), after);
  }

  /** Moves to the bracket that closes what has been entered. */
  protected skipToCloser(): void {
    this.skipWhile(() => true);
  }

  /**
   * Skips balanced tokens while `goOn` holds between them; a bracket that closes more ends it too. `after`
   * is the token just consumed, which may itself be an opening bracket.
   */
  protected skipWhile(goOn: () => boolean, after?: IToken): void {
    let depth = after !== undefined && openers.has(after.tokenType) ? 1 : 0;
    while (!this.ended && (depth > 0 || (goOn() && !closers.has(this.LA(1).tokenType)))) {
      const type = this.LA(1).tokenType;
      if (openers.has(type)) depth++;
      else if (closers.has(type)) depth--;
      this.SKIP_TOKEN();
    }
  }
}
