/** Collects what a phase has to say, so that one run reports every mistake and none of them twice. */

import type { Advice, Diagnostic, Label, Message } from "./diagnostic.js";

export class Reporter {
  readonly #seen = new Map<string, Diagnostic>();

  /**
   * Adds a message at its places; the first label is the primary one. `help` replaces the message's own
   * help line. A second report of the same code at the same primary place is dropped: whatever led to it
   * is the first one's consequence.
   */
  report(message: Message, labels: readonly Label[], help?: string | Advice | null): void {
    if (typeof help === "object" && help !== null) this.add({ ...message, ...help, labels });
    else this.add({ ...message, help: help ?? message.help, labels });
  }

  /** Takes over a finished diagnostic, for example one of the parser's. */
  add(diagnostic: Diagnostic): void {
    const key = identity(diagnostic);
    if (!this.#seen.has(key)) this.#seen.set(key, diagnostic);
  }

  addAll(diagnostics: Iterable<Diagnostic>): void {
    for (const diagnostic of diagnostics) this.add(diagnostic);
  }

  get hasErrors(): boolean {
    for (const { severity } of this.#seen.values()) if (severity === "error") return true;
    return false;
  }

  /** Everything reported so far, sorted by file and place; what has no place comes first. */
  get diagnostics(): readonly Diagnostic[] {
    return [...this.#seen.values()].sort(byPlace);
  }
}

function identity({ code, title, labels }: Diagnostic): string {
  const span = labels[0]?.span;
  // Without a place only the same words are the same report.
  return span === undefined
    ? `${code}\n${title}`
    : `${code}\n${span.source}\n${span.start}\n${span.end}`;
}

/** Orders diagnostics by file, then by the place of the primary label, then by code. */
export function byPlace(a: Diagnostic, b: Diagnostic): number {
  const [left, right] = [a.labels[0]?.span, b.labels[0]?.span];
  if (left === undefined || right === undefined) {
    return left === right ? compare(a.code, b.code) : left === undefined ? -1 : 1;
  }
  return (
    compare(left.source, right.source) ||
    left.start - right.start ||
    left.end - right.end ||
    compare(a.code, b.code)
  );
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
