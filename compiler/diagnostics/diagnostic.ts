/** The shape of everything the compiler tells its user: plain data, rendered elsewhere. */

import type { Span } from "../../grammar/ast.js";

export type Severity = "error" | "warning";

/** A place in the source with what is to be said about it; the first label is the primary one. */
export interface Label {
  readonly span: Span;
  readonly text: string;
}

/** One message without its places: what a typed constructor of the catalogue returns. */
export interface Message {
  readonly code: string; // kebab-case, stable, known to `lsm explain`
  readonly severity: Severity;
  readonly title: string;
  readonly help: string | null;
}

/** What takes the place of a piece of the source. */
export interface Edit {
  readonly span: Span;
  readonly text: string;
}

/** A line of help that an editor can carry out. */
export interface Advice {
  readonly help: string;
  readonly edit: Edit;
}

export interface Diagnostic extends Message {
  readonly labels: readonly Label[];
  /** Does what the help says. */
  readonly edit?: Edit;
}
