/**
 * How wide a text is. Pictures name fonts that share the metrics of Helvetica and Arial, so widths are
 * known without a browser; characters outside of the table count as wide as any character is.
 */

import type { Style } from "./drawing.js";

export interface Font {
  readonly size: number;
  readonly bold: boolean;
  readonly mono: boolean;
}

export const fonts: Readonly<Record<Style, Font>> = {
  title: { size: 13, bold: true, mono: false },
  text: { size: 11.5, bold: false, mono: false },
  code: { size: 11, bold: false, mono: true },
  faint: { size: 10.5, bold: false, mono: false },
};

/** Thousandths of the font's size, from the space to the tilde. */
const regular =
  "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278 584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500 500 334 260 334 584";
const bold =
  "278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 333 333 584 584 584 611 975 722 722 722 722 667 611 778 722 278 556 722 611 833 722 778 667 778 722 667 611 722 667 944 667 667 611 333 278 333 584 556 333 556 611 556 611 556 333 611 611 278 278 556 278 889 611 611 611 611 389 556 333 611 556 778 556 556 500 389 280 389 584";
const tables = { regular: regular.split(" ").map(Number), bold: bold.split(" ").map(Number) };
const beyond: Readonly<Record<string, number>> = { "·": 334, "×": 584, "–": 556, "…": 1000 };
const monospaced = 603;
const widest = 1000;

export function textWidth(text: string, style: Style): number {
  const { size, bold: heavy, mono } = fonts[style];
  const table = heavy ? tables.bold : tables.regular;
  let width = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    const known = table[code - 32] ?? beyond[character];
    width += mono && code < 0x250 ? monospaced : (known ?? widest);
  }
  return (width * size) / 1000;
}

export const lineHeight = (style: Style): number => Math.round(fonts[style].size * 1.4);

/** Breaks a text at its spaces so that no line is wider than `limit`, but for words that are. */
export function wrap(text: string, style: Style, limit: number): string[] {
  const lines: string[] = [];
  for (const word of text === "" ? [] : text.split(" ")) {
    const longer = lines.length === 0 ? word : `${lines[lines.length - 1]!} ${word}`;
    if (lines.length > 0 && textWidth(longer, style) <= limit) lines[lines.length - 1] = longer;
    else lines.push(lines.length === 0 ? word : `  ${word}`);
  }
  return lines;
}

/** Shortens a text that would be wider than `limit`. */
export function clip(text: string, style: Style, limit: number): string {
  if (textWidth(text, style) <= limit) return text;
  const characters = [...text];
  while (characters.length > 1 && textWidth(`${characters.join("")}…`, style) > limit)
    characters.pop();
  return `${characters.join("")}…`;
}
