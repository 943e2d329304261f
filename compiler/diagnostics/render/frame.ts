/** The source lines that a diagnostic is about, one file at a time, with their labels under them. */

import type { Label } from "../diagnostic.js";
import type { Palette, Paint } from "./colours.js";
import { clip, type Piece } from "./clip.js";
import { displayLine, displayText } from "./display.js";
import { labelRows } from "./labels.js";
import type { Lines } from "./lines.js";

export interface FrameOptions {
  readonly palette: Palette;
  readonly primaryPaint: Paint;
  readonly width: number;
  readonly gutter: number; // digits kept for line numbers, the same in all frames of one diagnostic
}

/** A label together with whether it is the diagnostic's first. */
export interface PlacedLabel extends Label {
  readonly primary: boolean;
}

/** A label over more lines than this shows its first and its last line only. */
const shownInFull = 4;

/** The rows of one file's frame, without its `-->` header. */
export function frame(
  labels: readonly PlacedLabel[],
  lines: Lines,
  options: FrameOptions,
): string[] {
  const { palette, gutter } = options;
  const bar = palette.gutter("|");
  const rows: string[] = [];
  const { pieces, elided } = piecesByLine(labels, lines);
  const paints = { primary: options.primaryPaint, secondary: palette.secondary };
  for (const [number, onLine] of [...pieces].sort(([a], [b]) => a - b)) {
    for (const part of clip(lines.line(number), onLine, options.width)) {
      const shown = displayLine(part.text);
      const head = `  ${palette.gutter(String(number).padStart(gutter))} ${bar}`;
      rows.push(shown.text.trim() === "" ? head : `${head} ${shown.text.trimEnd()}`);
      const blank = `  ${" ".repeat(gutter)} ${bar}`;
      for (const row of labelRows(part, shown, paints)) rows.push(`${blank} ${row}`);
    }
    if (elided.has(number)) rows.push(`  ${palette.gutter("...".padStart(gutter))}`);
  }
  return rows;
}

/** The highest line number that the labels will show, which settles the gutter's width. */
export function lastLine(labels: readonly Label[], lines: Lines): number {
  return Math.max(0, ...labels.map(({ span }) => lines.position(lines.clamp(span).end).line));
}

/**
 * Splits every label into its parts on single lines; the text goes with the first. `elided` holds the lines
 * after which a label's middle is left out.
 */
function piecesByLine(labels: readonly PlacedLabel[], lines: Lines) {
  const pieces = new Map<number, Piece[]>();
  const elided = new Set<number>();
  for (const label of labels) {
    const { start, end } = lines.clamp(label.span);
    const first = lines.position(start);
    const last = lastPosition(lines, start, end);
    for (let number = first.line; number <= last.line; number++) {
      if (number === first.line + 1 && last.line - first.line >= shownInFull) {
        elided.add(first.line);
        number = last.line;
      }
      const text = lines.line(number);
      const indent = text.length - text.trimStart().length;
      const piece: Piece = {
        start: Math.min(number === first.line ? first.column - 1 : indent, text.length),
        end: Math.min(number === last.line ? last.column - 1 : text.trimEnd().length, text.length),
        primary: label.primary,
        text: number === first.line ? displayText(label.text) : "",
      };
      if (number > first.line && piece.end <= piece.start) continue; // a blank line inside the label
      pieces.set(number, [...(pieces.get(number) ?? []), piece]);
    }
  }
  return { pieces, elided };
}

/** Where a span ends; one that ends at the very start of a line does not reach into that line. */
function lastPosition(lines: Lines, start: number, end: number) {
  const last = lines.position(end);
  if (last.column > 1 || end === start) return last;
  const { line, column } = lines.position(end - 1);
  return { line, column: column + 1 };
}
