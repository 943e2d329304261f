/** The texts that diagnostics point into, split into lines once each. */

import { Lines } from "./lines.js";

/** The text of a source, or null when it is not at hand; its labels are then listed without lines. */
export type SourceLookup = (path: string) => string | null;

export class Sources {
  readonly #known = new Map<string, Lines | null>();

  constructor(readonly lookup: SourceLookup) {}

  lines(path: string): Lines | null {
    let lines = this.#known.get(path);
    if (lines === undefined) {
      const text = this.lookup(path);
      lines = text === null ? null : new Lines(text);
      this.#known.set(path, lines);
    }
    return lines;
  }
}
