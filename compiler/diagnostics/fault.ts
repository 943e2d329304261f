/** A broken promise inside the compiler: never the user's mistake, yet with the place that led to it. */

import type { Span } from "../../grammar/ast.js";

export class Fault extends Error {
  override readonly name = "Fault";

  constructor(
    message: string,
    readonly span: Span | null = null,
  ) {
    super(message);
  }
}

/** Gives up on an impossible case; the command line reports it as an internal fault. */
export function fault(message: string, span: Span | null = null): never {
  throw new Fault(message, span);
}
