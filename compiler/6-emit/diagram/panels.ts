/** The panels of a drawing side by side, each with its heading above its flow. */

import type { Drawing, Panel } from "./drawing.js";
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
  readonly flow: { readonly x: number; readonly y: number; readonly layout: Layout };
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

export function placePanels({ panels }: Drawing): Sheet {
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

function placePanel(panel: Panel, x: number, y: number): PlacedPanel {
  const flow = layout(panel.flow);
  const scale = headingSize / fonts.title.size;
  const room = Math.max(flow.width, narrowest);
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
    flow: { x: (width - flow.width) / 2, y: top, layout: flow },
  };
}
