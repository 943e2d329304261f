/** Cells of a figure: a rectangle with a text in its middle, and tables of rows. */

import type { Cell, PlacedText, Style } from "../drawing.js";
import { clip, fonts, textWidth } from "../text-width.js";

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export function cell(
  id: string,
  look: string,
  at: Rectangle,
  texts: readonly PlacedText[] = [],
  note = "",
  inside: readonly Cell[] = [],
): Cell {
  const { x, y, width, height } = at;
  return { id, look, x, y, width, height, texts, note, inside };
}

/** A text in the middle of a rectangle; none where it does not fit. */
export function centred(
  text: string,
  style: Style,
  { x, y, width, height }: Rectangle,
): PlacedText[] {
  const wide = textWidth(text, style);
  if (text === "" || wide > width - 2) return [];
  return [{ text, style, x: x + (width - wide) / 2, y: y + height / 2 + fonts[style].size * 0.36 }];
}

export interface Column {
  readonly title: string;
  readonly style: Style;
  readonly right?: true; // set at its right end
  readonly widest?: number; // longer texts are clipped
}

/** A row of a table, or a heading over some of them. */
export type TableRow =
  | { readonly kind: "row"; readonly texts: readonly string[]; readonly note?: string }
  | {
      readonly kind: "heading";
      readonly look: string;
      readonly text: string;
      readonly beside: string;
    };

export const rowHeight = 19;
const headingHeight = 24;
const gap = 18;

/** Rows below one another, columns as wide as their texts. */
export function tableCells(
  id: string,
  columns: readonly Column[],
  rows: readonly TableRow[],
): { readonly cells: Cell[]; readonly width: number; readonly height: number } {
  const shown = rows.map((row) =>
    row.kind === "row"
      ? {
          ...row,
          texts: row.texts.map((text, i) =>
            clip(text, columns[i]!.style, columns[i]!.widest ?? 1e4),
          ),
        }
      : row,
  );
  const widths = columns.map(({ title, style }, i) =>
    Math.max(
      textWidth(title, "faint"),
      ...shown.map((row) => (row.kind === "row" ? textWidth(row.texts[i]!, style) : 0)),
    ),
  );
  const starts = widths.map((_, i) =>
    widths.slice(0, i).reduce((sum, width) => sum + width + gap, 8),
  );
  const headings = shown.map((row) =>
    row.kind === "heading" ? textWidth(row.text, "title") + textWidth(row.beside, "faint") + 44 : 0,
  );
  const width = Math.max(starts.at(-1)! + widths.at(-1)! + 8, ...headings);
  let y = 0;
  const cells: Cell[] = [];
  const line = (texts: readonly string[], styles: readonly Style[], note: string): void => {
    const placed = texts.flatMap((text, i): PlacedText[] => {
      if (text === "") return [];
      const style = styles[i]!;
      const wide = textWidth(text, style);
      const left = columns[i]!.right ? starts[i]! + widths[i]! - wide : starts[i]!;
      return [{ text, style, x: left, y: y + 13.5 }];
    });
    cells.push(
      cell(`${id}.${cells.length}`, "row", { x: 0, y, width, height: rowHeight }, placed, note),
    );
    y += rowHeight;
  };
  line(
    columns.map(({ title }) => title),
    columns.map(() => "faint"),
    "",
  );
  for (const row of shown) {
    if (row.kind === "row") {
      line(
        row.texts,
        columns.map(({ style }) => style),
        row.note ?? "",
      );
      continue;
    }
    y += 6;
    const beside = textWidth(row.beside, "faint");
    const texts: PlacedText[] = [
      { text: row.text, style: "title", x: 8, y: y + 16.5 },
      ...(row.beside === ""
        ? []
        : [{ text: row.beside, style: "faint" as const, x: width - 8 - beside, y: y + 16 }]),
    ];
    cells.push(
      cell(`${id}.${cells.length}`, row.look, { x: 0, y, width, height: headingHeight }, texts),
    );
    y += headingHeight + 2;
  }
  return { cells, width, height: y };
}
