/** One thing that can be completed, before it is put into the protocol's terms. */

import { type CompletionItem, CompletionItemKind } from "vscode-languageserver-types";

export { CompletionItemKind };

export interface Entry {
  readonly label: string;
  readonly kind: CompletionItemKind;
  readonly detail?: string;
  readonly doc?: string | null;
  /** What is written, where it is not the label. */
  readonly insert?: string;
  /** Comes before all others. */
  readonly first?: boolean;
}

export function toProtocol(
  { label, kind, detail, doc, insert, first }: Entry,
  at: number,
): CompletionItem {
  return {
    label,
    kind,
    // in the order in which they were found: what is nearest comes first
    sortText: `${first ? 0 : 1}${String(at).padStart(4, "0")}`,
    ...(detail === undefined ? {} : { detail }),
    ...(doc ? { documentation: { kind: "markdown" as const, value: doc } } : {}),
    ...(insert === undefined ? {} : { insertText: insert }),
  };
}
