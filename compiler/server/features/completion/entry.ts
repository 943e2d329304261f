/** One thing that can be completed, before it is put into the protocol's terms. */

import { type CompletionItem, CompletionItemKind, type Range } from "vscode-languageserver-types";

export { CompletionItemKind };

export interface Entry {
  readonly label: string;
  readonly kind: CompletionItemKind;
  readonly detail?: string;
  readonly doc?: string | null;
  /** What is written, where it is not the label. */
  readonly insert?: string;
  /** What it takes the place of, where that is not the word at the cursor. */
  readonly replace?: Range;
  /** Comes before all others. */
  readonly first?: boolean;
}

export function toProtocol(
  { label, kind, detail, doc, insert, replace, first }: Entry,
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
    ...(replace ? { textEdit: { range: replace, newText: insert ?? label } } : {}),
  };
}
