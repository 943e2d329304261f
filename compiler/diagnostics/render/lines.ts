/** Where offsets lie in a source text. Lines end at `\n`, `\r\n` or a lone `\r`, as in editors. */

import type { Span } from "../../../grammar/ast.js";

/** Both count from 1; columns count UTF-16 units, as editors do. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export class Lines {
  readonly #starts: number[] = [0];

  constructor(readonly text: string) {
    for (const match of text.matchAll(/\r\n|\n|\r/g))
      this.#starts.push(match.index + match[0].length);
  }

  position(offset: number): Position {
    let [low, high] = [0, this.#starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - this.#starts[low]! + 1 };
  }

  /** The text of a line without its terminator. */
  line(number: number): string {
    return this.text.slice(this.#starts[number - 1], this.#starts[number]).replace(/[\r\n]+$/, "");
  }

  /**
   * The part of the text that a span stands for when shown. Spans are clamped to the text; one that holds
   * nothing but the white space at the end of the file points just behind the last character instead, since
   * an empty last line shows nobody what is missing where.
   */
  clamp(span: Span): { readonly start: number; readonly end: number } {
    const limit = this.text.length;
    const start = Math.min(Math.max(span.start, 0), limit);
    const end = Math.min(Math.max(span.end, start), limit);
    const content = this.text.trimEnd().length;
    return start > content ? { start: content, end: content } : { start, end };
  }
}
