/** What the printer needs to know about the text beyond the tree: where brackets open, close and break. */

import { isCloser, isOpener } from "../brackets.js";
import type { IfExpression, Span } from "../ast.js";
import { lex } from "../lexer.js";
import { Problems } from "../problems.js";
import { types, type Token } from "../vocabulary.js";

export class Source {
  /** Without the line breaks. */
  readonly tokens: readonly Token[];
  readonly #closeOf = new Map<number, number>();
  readonly #openOf = new Map<number, number>();

  constructor(readonly text: string) {
    this.tokens = lex(text, new Problems("")).tokens.filter(
      (token) => token.tokenType !== types.Newline,
    );
    const open: number[] = [];
    for (const token of this.tokens) {
      if (isOpener(token)) open.push(token.startOffset);
      else if (isCloser(token)) this.#pair(open.pop()!, token.startOffset);
    }
  }

  #pair(open: number, close: number): void {
    this.#closeOf.set(open, close);
    this.#openOf.set(close, open);
  }

  /** Where the bracket opens that is closed by the last character of `span`. */
  openOfLast(span: Span): number {
    return this.#openOf.get(span.end - 1)!;
  }

  /** Where the bracket opens that closes at `close`. */
  openOf(close: number): number | undefined {
    return this.#openOf.get(close);
  }

  /** The first token at or after an offset. */
  tokenFrom(offset: number): Token | undefined {
    let [low, high] = [0, this.tokens.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.tokens[middle]!.startOffset < offset) low = middle + 1;
      else high = middle;
    }
    return this.tokens[low];
  }

  /** Where the braces of an `if`'s first branch open. */
  openOfThen(node: IfExpression): number {
    return this.tokenFrom(node.condition.span.end)!.startOffset;
  }

  /** The `else` that follows the first branch of an `if`, and what comes after that word. */
  elseOf(node: IfExpression): Token | undefined {
    const close = this.#closeOf.get(this.openOfThen(node))!;
    const word = this.tokenFrom(close + 1);
    return word?.tokenType === types.Else && word.startOffset < node.span.end
      ? this.tokenFrom(word.endOffset + 1)
      : undefined;
  }

  /** Whether the bracket that opens at `open` closes on the same line. */
  isOneLine(open: number): boolean {
    return !/[\r\n]/.test(this.text.slice(open, this.#closeOf.get(open)));
  }

  /** Whether at least one empty line lies between two offsets that have only blanks between them. */
  hasBlankLine(from: number, to: number): boolean {
    return from < to && (this.text.slice(from, to).match(/\r\n?|\n/g)?.length ?? 0) > 1;
  }
}
