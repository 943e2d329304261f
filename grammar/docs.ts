/**
 * Documentation: the `///` lines of the comment block that stands directly above a declaration, with no
 * blank line in between. Ordinary `//` lines may stand among them and are not part of it.
 */

import type { Comment } from "./ast.js";

/** `////` and more is a ruler, not documentation. */
export const isDoc = (text: string) => text.startsWith("///") && !text.startsWith("////");

/** Answers for any offset at which a declaration starts; `comments` must be in order. */
export function docFinder(
  text: string,
  comments: readonly Comment[],
): (start: number) => string | null {
  return (start) => {
    const lines: string[] = [];
    let below = start;
    for (let i = lastBefore(comments, start); i >= 0; i--) {
      const comment = comments[i]!;
      if (!comment.ownLine || !isNextLine(text, comment.span.end, below)) break;
      if (isDoc(comment.text)) lines.push(comment.text.slice(3).replace(/^ /, ""));
      below = comment.span.start;
    }
    return lines.length === 0 ? null : lines.reverse().join("\n");
  };
}

function lastBefore(comments: readonly Comment[], offset: number): number {
  let [low, high] = [0, comments.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (comments[middle]!.span.start < offset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Between the two offsets lies one line break and blanks, nothing else. */
function isNextLine(text: string, from: number, to: number): boolean {
  let breaks = 0;
  for (let at = from; at < to; at++) {
    const c = text[at];
    if (c === "\n" || (c === "\r" && text[at + 1] !== "\n")) breaks++;
    else if (c !== " " && c !== "\t" && c !== "\r") return false;
    if (breaks > 1) return false;
  }
  return breaks === 1;
}
