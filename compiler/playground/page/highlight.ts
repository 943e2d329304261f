/** The editor's colours, from the same generated TextMate grammar that other editors read. */

import { HighlightStyle, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { tags } from "@lezer/highlight";
import type { Extension } from "@codemirror/state";
import type { Pattern } from "../../../grammar/highlight.js";
import grammar from "../../../grammar/highlight.generated.json" with { type: "json" };

interface Rule {
  readonly match: RegExp;
  /** Groups of the match and what they are; group 0 is the whole. */
  readonly captures: readonly (readonly [group: number, style: string])[];
}

/** Scopes of TextMate and the tags of the editor. */
const styles: readonly (readonly [scope: string, tag: string])[] = [
  ["comment.line.documentation", "docComment"],
  ["comment", "comment"],
  ["string", "string"],
  ["constant.numeric", "number"],
  ["constant", "atom"],
  ["keyword.operator", "operator"],
  ["keyword", "keyword"],
  ["storage", "keyword"],
  ["entity.name.type", "typeName"],
  ["entity.name.function", "variableName.function"],
  ["support", "variableName.function"],
  ["variable.parameter", "propertyName"],
  ["variable.other.declaration", "variableName.definition"],
];

const styleOf = (scope: string): string =>
  styles.find(([prefix]) => scope.startsWith(prefix))?.[1] ?? "";

const rules = (grammar.patterns as readonly Pattern[]).map(toRule);

function toRule({ name, match, begin, end, captures }: Pattern): Rule {
  if (match !== undefined) {
    const groups = Object.entries(captures ?? { 0: { name: name ?? "" } });
    return {
      match: new RegExp(match, "dy"),
      captures: groups.map(([group, { name: scope }]) => [Number(group), styleOf(scope)]),
    };
  }
  // a region that ends on its own line
  const whole = `(?:${begin})(?:\\\\.|(?!${end}).)*(?:${end})?`;
  return { match: new RegExp(whole, "dy"), captures: [[0, styleOf(name ?? "")]] };
}

interface State {
  /** What is known of the rest of a match: ends and their styles, in order. */
  readonly ahead: { readonly to: number; readonly style: string }[];
}

const language = StreamLanguage.define<State>({
  name: "lsm",
  startState: () => ({ ahead: [] }),
  token(stream, { ahead }) {
    if (stream.sol()) ahead.length = 0;
    const known = ahead.shift();
    if (known) {
      stream.pos = known.to;
      return known.style || null;
    }
    if (stream.eatSpace()) return null;
    for (const { match, captures } of rules) {
      match.lastIndex = stream.pos;
      const found = match.exec(stream.string);
      if (!found || found[0] === "") continue;
      const end = stream.pos + found[0].length;
      let at = stream.pos;
      for (const [group, style] of captures) {
        const [from, to] = found.indices![group] ?? [at, at];
        if (from > at) ahead.push({ to: from, style: "" });
        if (to > from) ahead.push({ to, style });
        at = Math.max(at, to);
      }
      if (end > at) ahead.push({ to: end, style: "" });
      const first = ahead.shift()!;
      stream.pos = first.to;
      return first.style || null;
    }
    if (!stream.eatWhile(/\w/)) stream.next();
    return null;
  },
  languageData: {
    commentTokens: { line: "//" },
    closeBrackets: { brackets: ["(", "[", "{", '"'] },
  },
});

const colours = HighlightStyle.define([
  { tag: [tags.comment, tags.docComment], color: "var(--faint)", fontStyle: "italic" },
  { tag: tags.string, color: "var(--green)" },
  { tag: [tags.number, tags.atom], color: "var(--orange)" },
  { tag: tags.keyword, color: "var(--violet)" },
  { tag: tags.typeName, color: "var(--blue)", fontWeight: "600" },
  { tag: tags.function(tags.variableName), color: "var(--blue)" },
  { tag: tags.definition(tags.variableName), color: "var(--orange)" },
]);

export const lsm: Extension = [language, syntaxHighlighting(colours)];
