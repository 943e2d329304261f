/** What people are told of a recurrence and its form: the one source of these words. */

import type { Span } from "../../../grammar/ast.js";
import type { NormalStep } from "./described.js";

/** The families of recurrences.md §1, and steps that are linear in the max-plus semiring. */
export type Family = "F0" | "F1" | "F2" | "F2v" | "F3" | "F4" | "F5" | "F6" | "F7" | "max-plus";

const families: Readonly<Record<Family, string>> = {
  F0: "sum",
  F1: "scalar gate",
  F2: "key gate",
  F2v: "value gate",
  F3: "erase",
  F4: "key gate + erase",
  F5: "elementwise gate",
  F6: "rotation",
  F7: "affine from the chunk's start",
  "max-plus": "running maximum",
};

export interface RecurrenceReport {
  readonly function: string;
  readonly state: string; // several that step together are parted by `, `
  readonly family: Family | "?";
  readonly form: string; // "chunk 64", "scan" (elementwise, over the whole sequence), "recurrent"
  readonly reason: string | null; // why not a chunk form
  readonly span: Span | null; // the term of the source that is the reason, where it is one
  readonly step: NormalStep | null; // the step in normal form, where it has one
}

/** `family F4: key gate + erase` */
export const familyText = (family: Family | "?"): string =>
  family === "?" ? "no family" : `family ${family}: ${families[family]}`;

/** `family F4: key gate + erase, chunk 32` */
export function reportText({
  family,
  form,
  reason,
}: Pick<RecurrenceReport, "family" | "form" | "reason">): string {
  return `${familyText(family)}, ${form}${reason === null ? "" : ` (${reason})`}`;
}
