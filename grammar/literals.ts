/** What numbers and strings mean, and what can be wrong with them. */

import { messages } from "../compiler/diagnostics/messages.generated.js";
import type { Problems } from "./problems.js";
import { numberSuffixes, stringEscapes } from "./tokens.js";

const wellFormed = new RegExp(
  `^([0-9]+(?:\\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(${Object.keys(numberSuffixes).join("|")})?$`,
);

/** The value of a number as written; NaN when it is no number. */
export function numberValue(text: string): number {
  const match = wellFormed.exec(text);
  if (match === null) return NaN;
  return Number(match[1]) * (match[2] === undefined ? 1 : numberSuffixes[match[2]]!);
}

export function checkNumber(text: string, start: number, line: number, problems: Problems): void {
  if (Number.isFinite(numberValue(text))) return;
  const help = text.includes("_")
    ? "digits are not grouped: write `15B` or `15000000000`"
    : undefined;
  const shown = text.length > 40 ? `${text.slice(0, 39)}…` : text;
  problems.spoil(line);
  problems.report(
    messages.badNumber({ text: shown }),
    [{ span: problems.span(start, start + text.length), text: "" }],
    help,
  );
}

/** The value of a string as written, quotes included; tolerates whatever `checkString` has reported. */
export function stringValue(text: string): string {
  const inner = text.slice(1, isClosed(text) ? -1 : undefined);
  return inner.replace(/\\([^])/g, (pair, escaped: string) => stringEscapes[escaped] ?? pair);
}

/** A string's value as the printer writes it. */
export function quote(value: string): string {
  const escaped = value.replace(/["\\\n\t]/g, (c) => ({ "\n": "\\n", "\t": "\\t" })[c] ?? `\\${c}`);
  return `"${escaped}"`;
}

export function checkString(text: string, start: number, line: number, problems: Problems): void {
  const end = start + text.length;
  if (!isClosed(text)) {
    problems.spoil(line);
    problems.report(messages.unterminatedString(), [
      { span: problems.span(start, end), text: "starts here" },
    ]);
    return;
  }
  for (let at = 1; at < text.length - 1; at++) {
    if (text[at] !== "\\") continue;
    const escaped = text.charAt(++at);
    if (Object.hasOwn(stringEscapes, escaped)) continue;
    const span = problems.span(start + at - 1, start + at + 1);
    problems.report(messages.badEscape({ escape: `\\${escaped}` }), [{ span, text: "" }]);
  }
}

/** Ends with a quote that is neither the opening one nor escaped. */
function isClosed(text: string): boolean {
  let at = 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at === text.length - 1;
}
