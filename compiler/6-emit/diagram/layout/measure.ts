/** How large a box is: its lines, and its inside below them. */

import type { Box, Line } from "../drawing.js";
import { lineHeight, textWidth } from "../text-width.js";

export interface Size {
  readonly width: number;
  readonly height: number;
}

export const padding = 10;
export const insidePadding = 14;
const besideGap = 14;
const operator = 24;

export function lineWidth({ text, style, beside }: Line): number {
  const more = beside === undefined ? 0 : besideGap + textWidth(beside, "faint");
  return textWidth(text, style) + more;
}

export const linesHeight = (lines: readonly Line[]): number =>
  lines.reduce((sum, { style }) => sum + lineHeight(style), 0);

export function boxSize({ shape, lines }: Box, inside: Size | null): Size {
  if (shape === "operator") return { width: operator, height: operator };
  const widest = Math.max(0, ...lines.map(lineWidth));
  const high = linesHeight(lines);
  if (shape === "port") return { width: widest + 2 * padding, height: high + 6 };
  if (!inside) return { width: Math.max(widest + 2 * padding, 56), height: high + 12 };
  return {
    width: Math.max(widest + 2 * padding, inside.width + 2 * insidePadding),
    height: high + 12 + inside.height + insidePadding + 6,
  };
}
