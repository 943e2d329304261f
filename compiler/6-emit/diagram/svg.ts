/** A drawing as SVG: text stays text, and what it shows is said in its title and description. */

import type { Span } from "../../../grammar/ast.js";
import type { Cell, Drawing, Line } from "./drawing.js";
import { escapeMarkup } from "./escape.js";
import { linesHeight, padding } from "./layout/measure.js";
import type { Layout, Placed, Wire } from "./layout/layout.js";
import { type PlacedPanel, placePanels } from "./panels.js";
import { style } from "./svg-style.js";
import { fonts, lineHeight, textWidth } from "./text-width.js";

/** Where a box's source is, as the picture's reader may see it: `model.lsm:3`. */
export type Place = (span: Span) => string;

export function svg(drawing: Drawing, place: Place): string {
  const { width, height, panels } = placePanels(drawing);
  const size = `width="${n(width)}" height="${n(height)}" viewBox="0 0 ${n(width)} ${n(height)}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-labelledby="title description">`,
    `<title id="title">${escapeMarkup(drawing.title)}</title>`,
    `<desc id="description">${escapeMarkup(drawing.description)}</desc>`,
    `<style>${style}</style>`,
    `<rect class="paper" width="100%" height="100%"/>`,
    ...panels.map((panel) => drawPanel(panel, place)),
    "</svg>\n",
  ].join("\n");
}

function drawPanel(
  { panel, x, y, width, height, heading, flow }: PlacedPanel,
  place: Place,
): string {
  const texts = heading.map(({ text, className, x: left, y: base, width: wide }) =>
    textAt(text, className, left, base, wide),
  );
  return [
    `<g class="sheet" transform="translate(${n(x)} ${n(y)})" data-name="${escapeMarkup(panel.title)}">`,
    `<rect class="panel" width="${n(width)}" height="${n(height)}" rx="10"/>`,
    ...texts,
    `<g transform="translate(${n(flow.x)} ${n(flow.y)})">`,
    "cells" in flow.layout
      ? flow.layout.cells.map(drawCell).join("\n")
      : drawLayout(flow.layout, place),
    "</g>",
    "</g>",
  ].join("\n");
}

function drawCell({ id, look, x, y, width, height, texts, note, inside }: Cell): string {
  return [
    `<g class="box ${look}" data-id="${escapeMarkup(id)}">`,
    ...(note === "" ? [] : [`<title>${escapeMarkup(note)}</title>`]),
    `<rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" rx="${n(Math.min(4, width / 4, height / 4))}"/>`,
    ...texts.map(({ text, style: kind, x: left, y: base }) =>
      textAt(text, kind, left, base, textWidth(text, kind)),
    ),
    ...(inside.length === 0 ? [] : ["<g>", ...inside.map(drawCell), "</g>"]),
    "</g>",
  ].join("\n");
}

function drawLayout({ boxes, wires, labels }: Layout, place: Place): string {
  return [
    ...wires.map(drawWire),
    ...labels.map(
      ({ text, x, y, width, height }) =>
        `<rect class="back" x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}"/>` +
        textAt(text, "faint label", x + 3, y + fonts.faint.size, width - 6),
    ),
    ...boxes.map((placed) => drawBox(placed, place)),
  ].join("\n");
}

function drawBox({ box, x, y, width, height, inside }: Placed, place: Place): string {
  const radius = box.shape === "operator" || box.shape === "port" ? height / 2 : 6;
  const source = box.span === null ? "" : place(box.span);
  const note = [box.note, source].filter(Boolean).join("\n");
  return [
    `<g class="box ${box.shape}" data-id="${escapeMarkup(box.id)}"${source && ` data-source="${escapeMarkup(source)}"`}>`,
    ...(note === "" ? [] : [`<title>${escapeMarkup(note)}</title>`]),
    `<rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" rx="${n(radius)}"/>`,
    ...drawLines(box.lines, x, y, width, box.shape === "operator" || box.shape === "port"),
    ...(inside === null
      ? []
      : [
          `<g transform="translate(${n(inside.x)} ${n(inside.y)})">`,
          drawExit(inside.layout, y + height - inside.y),
          drawLayout(inside.layout, place),
          "</g>",
        ]),
    "</g>",
  ].join("\n");
}

/** From the result to the border of the box whose inside it is. */
function drawExit({ exit, height }: Layout, border: number): string {
  return exit === null
    ? ""
    : drawWire({
        points: [
          { x: exit, y: height },
          { x: exit, y: border },
        ],
        arrow: false,
      });
}

function drawLines(
  lines: readonly Line[],
  x: number,
  y: number,
  width: number,
  centred: boolean,
): string[] {
  const high = linesHeight(lines);
  let at = y + (centred ? (lines[0]?.style === "title" ? 3 : 3) : 6);
  if (centred && high > 0) at = y + 3;
  return lines.flatMap(({ text, style: kind, beside }) => {
    const { size } = fonts[kind];
    const base = at + (lineHeight(kind) + size * 0.72) / 2;
    at += lineHeight(kind);
    const wide = textWidth(text, kind);
    const left = centred ? x + (width - wide) / 2 : x + padding;
    const own = text === "" ? [] : [textAt(text, kind, left, base, wide)];
    if (beside === undefined) return own;
    const more = textWidth(beside, "faint");
    return [...own, textAt(beside, "faint", x + width - padding - more, base, more)];
  });
}

/** `textLength` holds the measured width in fonts of other metrics as well. */
function textAt(text: string, className: string, x: number, y: number, width: number): string {
  return `<text class="${className}" x="${n(x)}" y="${n(y)}" textLength="${n(width)}" lengthAdjust="spacingAndGlyphs">${escapeMarkup(text)}</text>`;
}

const corner = 5;

/** Straight pieces with rounded corners, and a tip that ends where the wire does. */
function drawWire({ points, arrow }: Wire): string {
  const last = points[points.length - 1]!;
  const before = points[points.length - 2]!;
  const length = Math.hypot(last.x - before.x, last.y - before.y) || 1;
  const [dx, dy] = [(last.x - before.x) / length, (last.y - before.y) / length];
  const end = arrow ? { x: last.x - 5 * dx, y: last.y - 5 * dy } : last;
  const path = points.map((point, i) => {
    if (i === 0) return `M${n(point.x)} ${n(point.y)}`;
    if (i === points.length - 1) return `L${n(end.x)} ${n(end.y)}`;
    const [from, to] = [points[i - 1]!, points[i + 1]!];
    const near = Math.min(corner, distance(from, point) / 2, distance(point, to) / 2);
    const a = towards(point, from, near);
    const b = towards(point, to, near);
    return `L${n(a.x)} ${n(a.y)}Q${n(point.x)} ${n(point.y)} ${n(b.x)} ${n(b.y)}`;
  });
  const wing = (side: number): string =>
    `L${n(last.x - 7 * dx + side * 3.4 * dy)} ${n(last.y - 7 * dy - side * 3.4 * dx)}`;
  const tip = arrow
    ? `<path class="tip" d="M${n(last.x)} ${n(last.y)}${wing(1)}${wing(-1)}Z"/>`
    : "";
  return `<path class="wire" d="${path.join("")}"/>${tip}`;
}

interface At {
  readonly x: number;
  readonly y: number;
}

const distance = (a: At, b: At): number => Math.hypot(a.x - b.x, a.y - b.y);

function towards(from: At, to: At, by: number): At {
  const far = distance(from, to) || 1;
  return { x: from.x + ((to.x - from.x) * by) / far, y: from.y + ((to.y - from.y) * by) / far };
}

/** A coordinate: a tenth of a pixel is enough. */
const n = (value: number): string => String(Math.round(value * 10) / 10);
