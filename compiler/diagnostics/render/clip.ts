/** Cuts long source lines down to the parts that the labels are about. */

/** A label's part on one line, in UTF-16 units of that line; `end` is past the last unit. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  readonly primary: boolean;
  readonly text: string;
}

/** A part of a line to show, with the pieces inside it, relative to the part. */
export interface Clip {
  readonly text: string;
  readonly pieces: readonly Piece[];
}

const ellipsis = "…";
/** How much of the line is kept before the first label of a clip. */
const context = 20;

/**
 * The line as it is when it fits; otherwise as many parts as the labels need, each at most `width` units,
 * with `…` where something was left out.
 */
export function clip(line: string, pieces: readonly Piece[], width: number): readonly Clip[] {
  if (line.length <= width) return [{ text: line, pieces }];
  return groups(pieces, width).map((group) => {
    let from = Math.max(0, Math.min(group[0]!.start - context, line.length - width));
    let to = Math.min(line.length, from + width);
    if (splitsPair(line, from)) from++;
    if (splitsPair(line, to)) to--;
    const before = from > 0 ? ellipsis : "";
    const after = to < line.length ? ellipsis : "";
    const shift = (unit: number) => Math.min(Math.max(unit, from), to) - from + before.length;
    return {
      text: before + line.slice(from, to) + after,
      pieces: group.map((piece) => ({
        ...piece,
        start: shift(piece.start),
        end: shift(piece.end),
      })),
    };
  });
}

/** Neighbouring pieces share a part while the last one still begins well inside it. */
function groups(pieces: readonly Piece[], width: number): Piece[][] {
  const result: Piece[][] = [];
  for (const piece of [...pieces].sort((a, b) => a.start - b.start)) {
    const group = result.at(-1);
    if (group !== undefined && piece.start - group[0]!.start <= width - 2 * context)
      group.push(piece);
    else result.push([piece]);
  }
  return result;
}

/** Whether cutting here would tear a surrogate pair apart. */
function splitsPair(line: string, at: number): boolean {
  const code = line.charCodeAt(at);
  return at > 0 && at < line.length && code >= 0xdc00 && code <= 0xdfff;
}
