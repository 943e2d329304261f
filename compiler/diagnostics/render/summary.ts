/** The last line of a run: how many mistakes there were. */

import type { Diagnostic } from "../diagnostic.js";

/** `2 errors and 1 warning`, or null when there is nothing to sum up. */
export function summary(diagnostics: readonly Diagnostic[]): string | null {
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  const parts = [count(errors, "error"), count(diagnostics.length - errors, "warning")];
  return parts.filter((part) => part !== null).join(" and ") || null;
}

function count(number: number, noun: string): string | null {
  return number === 0 ? null : `${number} ${noun}${number === 1 ? "" : "s"}`;
}
