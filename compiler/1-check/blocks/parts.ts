/** The parts of a setting that are missing, and those that it does not take. */

import type { Expression, Modifier, Setting, Span } from "../../../grammar/ast.js";
import { messages } from "../../diagnostics/messages.generated.js";
import type { Site } from "./schema.js";

/** A word that a part of a setting begins with: `over cp`, `by lasp2`. */
export type Word = Modifier["word"];

/** The setting's value, with or without `every` before it as it should be. */
export function valueOf(setting: Setting, every: boolean, site: Site): Expression | undefined {
  const { value } = setting;
  if (value?.kind === "error") return undefined; // the parser has said why
  if (value === null) missing(setting, "a value", site);
  else if (every && !setting.every) missing(setting, "`every`", site);
  else if (!every && setting.every) stray(value.span, "`every`", site);
  else return value;
  return undefined;
}

/** Whether every word behind the setting is one of `words`, and none comes twice. */
export function wordsFit(setting: Setting, words: readonly Word[], site: Site): boolean {
  const seen = new Set<Word>();
  for (const { word, span } of setting.modifiers) {
    if (!words.includes(word) || seen.has(word)) {
      stray(span, seen.has(word) ? `second \`${word}\`` : `\`${word}\``, site);
      return false;
    }
    seen.add(word);
  }
  return true;
}

export function missing({ span }: Setting, part: string, { name, usage, scope }: Site): void {
  const message = messages.missingPart({ key: name, part });
  scope.reporter.report(message, [{ span, text: "not complete" }], `write \`${usage}\``);
}

export function stray(span: Span, part: string, { name, usage, scope }: Site): void {
  const message = messages.strayPart({ key: name, part });
  scope.reporter.report(message, [{ span, text: "not here" }], `write \`${usage}\``);
}
