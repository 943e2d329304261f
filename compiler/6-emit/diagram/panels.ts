/** The panels of a drawing side by side, each with its heading above its flow. */

import type { Drawing, Figure, Panel } from "./drawing.js";
import { type Layout, layout } from "./layout/layout.js";
import { fonts, textWidth, wrap } from "./text-width.js";

export interface Heading {
  readonly text: string;
  readonly className: string;
  readonly x: number;
  readonly y: number; // of the base line
  readonly width: number;
}

export interface PlacedPanel {
  readonly panel: Panel;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly heading: readonly Heading[];
  readonly flow: { readonly x: number; readonly y: number; readonly layout: Layout | Figure };
}

export interface Sheet {
  readonly width: number;
  readonly height: number;
  readonly panels: readonly PlacedPanel[];
}

const margin = 20;
const gap = 20;
const inset = 20;
const widestRow = 2600;
const narrowest = 240;
const widestText = 900; // of a heading over several columns

export function placePanels(drawing: Drawing): Sheet {
  return drawing.columns ? inColumns(drawing.panels) : inRows(drawing.panels);
}

/** The first on top; each of the others in the column that is shorter so far, all as wide as their column. */
function inColumns([first, ...others]: readonly Panel[]): Sheet {
  const top = placePanel(first!, margin, margin, widestText);
  const start = margin + top.height + gap;
  const columns = [0, 1].map(() => ({ panels: [] as PlacedPanel[], end: start, width: 0 }));
  for (const panel of others) {
    const [left, right] = columns as [(typeof columns)[0], (typeof columns)[0]];
    const column = right.end < left.end ? right : left;
    const placed = placePanel(panel, margin, column.end);
    column.panels.push(placed);
    column.end += placed.height + gap;
    column.width = Math.max(column.width, placed.width);
  }
  const [left, right] = columns as [(typeof columns)[0], (typeof columns)[0]];
  const below = left.width + (right.width > 0 ? gap + right.width : 0);
  const whole = Math.max(below, top.width);
  const widen = (panel: PlacedPanel, x: number, width: number): PlacedPanel => ({
    ...panel,
    x,
    width,
  });
  const panels = [
    widen(top, margin, whole),
    ...left.panels.map((panel) => widen(panel, margin, left.width)),
    ...right.panels.map((panel) =>
      widen(panel, margin + left.width + gap, whole - left.width - gap),
    ),
  ];
  const end = Math.max(...columns.map((column) => column.end), start);
  return { width: whole + 2 * margin, height: end - gap + margin, panels };
}

function inRows(panels: readonly Panel[]): Sheet {
  const placed: PlacedPanel[] = [];
  let [x, y, tallest, widest] = [margin, margin, 0, 0];
  for (const panel of panels) {
    const one = placePanel(panel, x, y);
    const wraps = x > margin && x + one.width > widestRow;
    if (wraps) [x, y, tallest] = [margin, y + tallest + gap, 0];
    const own = wraps ? placePanel(panel, x, y) : one;
    placed.push(own);
    x += own.width + gap;
    tallest = Math.max(tallest, own.height);
    widest = Math.max(widest, x - gap + margin);
  }
  return { width: widest, height: y + tallest + margin, panels: placed };
}

const headingSize = 17;

function placePanel(panel: Panel, x: number, y: number, least = narrowest): PlacedPanel {
  const flow = panel.figure ?? layout(panel.flow);
  const scale = headingSize / fonts.title.size;
  const room = Math.max(flow.width, least);
  const titles = wrap(panel.title, "title", room / scale);
  const heading: Heading[] = [];
  let base = inset;
  for (const line of titles) {
    const text = line.trim();
    heading.push({
      text,
      className: "heading",
      x: inset,
      y: base + 14,
      width: textWidth(text, "title") * scale,
    });
    base += 22;
  }
  for (const text of wrap(panel.facts.join(" · "), "faint", room)) {
    const width = textWidth(text.trim(), "faint");
    heading.push({ text: text.trim(), className: "faint", x: inset, y: base + 12, width });
    base += 16;
  }
  const width = Math.max(room, ...heading.map((line) => line.width)) + 2 * inset;
  const top = base + 18;
  return {
    panel,
    x,
    y,
    width,
    height: top + flow.height + inset,
    heading,
    flow: { x: panel.figure ? inset : (width - flow.width) / 2, y: top, layout: flow },
  };
}
