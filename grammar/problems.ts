/** Collects what lexer, bracket pass and parser have to say about one text. */

import type { Diagnostic, Label, Message } from "../compiler/diagnostics/diagnostic.js";
import { Reporter } from "../compiler/diagnostics/report.js";
import type { Span } from "./ast.js";

/** Nobody reads more, and a hostile file must not cost more. */
const limit = 100;

export class Problems {
  readonly #reporter = new Reporter();
  readonly #spoilt = new Set<number>();
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

  /** Notes that a line's tokens are not what its author meant, so that grammar errors on it are consequences. */
  spoil(line: number): void {
    this.#spoilt.add(line);
  }

  isSpoilt(line: number | undefined): boolean {
    return line !== undefined && this.#spoilt.has(line);
  }

  report(message: Message, labels: readonly Label[], help?: string | null): void {
    if (this.full) return;
    this.#count++;
    this.#reporter.report(message, labels, help);
  }
}
