/** Completion in a layer's or a model's header: kinds behind a colon, axes in brackets, values behind `=`. */

import { expectedNames, parameterKinds } from "../../../1-check/elaborate/kinds.js";
import { types } from "../../../../grammar/vocabulary.js";
import type { Open } from "../../names/context.js";
import { type Entry, CompletionItemKind } from "./entry.js";

/** @param values what a parameter's default may be made of: names before it, and whatever an expression has */
export function headerEntries(header: Open, values: () => Entry[]): Entry[] {
  const tokens = header.tokens.filter(({ tokenType }) => tokenType !== types.Newline);
  const part = tokens.slice(tokens.findLastIndex(({ tokenType }) => tokenType === types.Comma) + 1);
  if (part.some(({ image }) => image === "="))
    return values().filter(({ label }) => label !== part[0]!.image);
  if (part.at(-1)?.tokenType !== types.Colon) return []; // a new name
  return Object.entries(parameterKinds).map(([label, expected]) => ({
    label,
    kind: CompletionItemKind.Keyword,
    doc: expectedNames[expected],
  }));
}
