/** Collects what lexer, bracket pass and parser have to say about one text. */

import type { Advice, Diagnostic, Label, Message } from "../compiler/diagnostics/diagnostic.js";
import { Reporter } from "../compiler/diagnostics/report.js";
import type { Span } from "./ast.js";

/** Nobody reads more, and a hostile file must not cost more. */
const limit = 100;

export class Problems {
  readonly #reporter = new Reporter();
  readonly #spoilt: { readonly from: number; readonly to: number }[] = [];
  #count = 0;

  constructor(readonly source: string) {}

  /** Whether so much is wrong that going on is no use. */
  get full(): boolean {
    return this.#count >= limit;
  }

  get diagnostics(): Diagnostic[] {
    return [...this.#reporter.diagnostics];
  }

  span(start: number, end: number): Span {
    return { source: this.source, start, end };
  }

  /** Notes that the tokens of some lines are not what was meant, so that grammar errors there are consequences. */
  spoil(from: number, to = from): void {
    if (!this.full) this.#spoilt.push({ from, to });
  }

  isSpoilt(line: number | undefined): boolean {
    return line !== undefined && this.#spoilt.some(({ from, to }) => from <= line && line <= to);
  }

  report(message: Message, labels: readonly Label[], help?: string | Advice | null): void {
    if (this.full) return;
    this.#count++;
    this.#reporter.report(message, labels, help);
  }
}
