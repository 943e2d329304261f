/** The rows under a source line: underlines, and what each label says. */

import type { Paint } from "./colours.js";
import type { Clip, Piece } from "./clip.js";
import type { DisplayLine } from "./display.js";

export interface LabelPaints {
  readonly primary: Paint;
  readonly secondary: Paint;
}

interface Mark {
  readonly from: number; // in cells
  readonly to: number;
  readonly primary: boolean;
  readonly text: string;
}

/**
 * One row of underlines (`^` for the primary label, `-` for the others, the primary on top), with the text
 * of the rightmost label behind it when nothing stands in its way; then a row for each further text, from
 * right to left, so that the connecting bars never cross a text:
 *
 *     dot(q, S, key)
 *         ^  - the state
 *         the query
 */
export function labelRows(clip: Clip, line: DisplayLine, paints: LabelPaints): string[] {
  const marks = clip.pieces
    .map((piece) => markOf(piece, line))
    .sort((a, b) => a.from - b.from || a.to - b.to);
  const paint = (mark: { primary: boolean }) => (mark.primary ? paints.primary : paints.secondary);
  const last = marks.at(-1)!;
  const inline = last.text !== "" && marks.every((mark) => mark.to <= last.to);
  const rows = [underlines(marks, paint) + (inline ? ` ${paint(last)(last.text)}` : "")];

  const waiting = marks.filter((mark) => mark.text !== "" && !(inline && mark === last));
  while (waiting.length > 0) {
    const mark = waiting.pop()!;
    let row = "";
    let cell = 0;
    for (const other of waiting) {
      if (other.from < cell || other.from >= mark.from) continue;
      row += " ".repeat(other.from - cell) + paint(other)("|");
      cell = other.from + 1;
    }
    rows.push(row + " ".repeat(mark.from - cell) + paint(mark)(mark.text));
  }
  return rows;
}

/** An empty piece still gets one cell: there is always something to point with. */
function markOf({ start, end, primary, text }: Piece, line: DisplayLine): Mark {
  const from = line.cells[start]!;
  return { from, to: Math.max(line.cells[end]!, from + 1), primary, text };
}

function underlines(marks: readonly Mark[], paint: (mark: Mark) => Paint): string {
  const end = Math.max(...marks.map((mark) => mark.to));
  const owners: (Mark | undefined)[] = Array.from({ length: end });
  for (const mark of [...marks].sort((a, b) => Number(a.primary) - Number(b.primary))) {
    owners.fill(mark, mark.from, mark.to);
  }
  let row = "";
  for (let from = 0, to = 0; from < end; from = to) {
    const owner = owners[from];
    while (to < end && owners[to]?.primary === owner?.primary) to++;
    row +=
      owner === undefined
        ? " ".repeat(to - from)
        : paint(owner)((owner.primary ? "^" : "-").repeat(to - from));
  }
  return row;
}
