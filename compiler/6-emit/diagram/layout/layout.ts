/** A flow with places: boxes in rows from top to bottom, wires between the rows. Insides first. */

import type { Box, Flow } from "../drawing.js";
import { lineHeight, textWidth } from "../text-width.js";
import { columnsOf } from "./columns.js";
import { boxSize, insidePadding, type Size } from "./measure.js";
import { orderRows } from "./order.js";
import { type Slot, rowsOf } from "./rows.js";
import { type Ends, type Point, type Route, routesOf } from "./wires.js";

export interface Placed extends Size {
  readonly box: Box;
  readonly x: number;
  readonly y: number;
  /** Where its inside begins. */
  readonly inside: (Point & { readonly layout: Layout }) | null;
}

export interface Wire {
  readonly points: readonly Point[];
  readonly arrow: boolean;
}

export interface Label extends Size, Point {
  readonly text: string;
}

export interface Layout extends Size {
  readonly boxes: readonly Placed[];
  readonly wires: readonly Wire[];
  readonly labels: readonly Label[];
  /** Where the result, the last box, leaves; null when nothing does. */
  readonly exit: number | null;
}

const spacing = 16;
const track = 9;
const passingReach = 4;
const labelStem = 5;
const labelPadding = 3;
const arrival = 16;

export function layout(flow: Flow): Layout {
  const insides = new Map(
    flow.boxes.map((box) => [box.id, box.inside ? layout(box.inside) : null]),
  );
  const sizes = new Map(flow.boxes.map((box) => [box.id, boxSize(box, insides.get(box.id)!)]));
  const rows = rowsOf(flow);
  const order = orderRows(rows);
  const labels = new Map(flow.edges.map(({ from, label }) => [from, label]));
  const labelWidth = (id: string): number =>
    labels.get(id) ? textWidth(labels.get(id)!, "faint") + 2 * labelPadding : 0;
  const exitOf = (id: string): number => {
    const inside = insides.get(id);
    const { width } = sizes.get(id)!;
    if (!inside || inside.exit === null) return 0;
    return (width - inside.width) / 2 + inside.exit - width / 2;
  };
  const exitOfSlot = ({ box }: Slot): number => (box === null ? 0 : exitOf(box));
  const reach = ({ box }: Slot): number =>
    box === null
      ? passingReach
      : Math.max(sizes.get(box)!.width / 2, labelWidth(box) / 2 + Math.abs(exitOf(box)));
  const columns = columnsOf(order, rows, reach, exitOfSlot, spacing);
  const slots = order.flat();
  const leftmost = Math.min(...slots.map((slot) => columns.get(slot)! - reach(slot)));
  const rightmost = Math.max(...slots.map((slot) => columns.get(slot)! + reach(slot)));
  const middle = (slot: Slot): number => columns.get(slot)! - leftmost;
  const ends = (slot: Slot): Ends => {
    const x = middle(slot);
    if (slot.box === null) return { exit: x, left: x, right: x };
    const room = Math.max(sizes.get(slot.box)!.width / 2 - 12, 5);
    return { exit: x + exitOf(slot.box), left: x - room, right: x + room };
  };
  const routes = order.map((_, at) =>
    routesOf(
      rows.nets.filter(({ source }) => source.row === at),
      ends,
    ),
  );
  const tops: number[] = [];
  const heights = order.map((row) =>
    Math.max(0, ...row.map(({ box }) => (box === null ? 0 : sizes.get(box)!.height))),
  );
  let y = 0;
  order.forEach((_, at) => {
    tops.push(y);
    y += heights[at]! + (at === order.length - 1 ? 0 : gapHeight(routes[at]!));
  });
  const boxes = slots.flatMap((slot) => {
    if (slot.box === null) return [];
    const size = sizes.get(slot.box)!;
    const box = flow.boxes.find(({ id }) => id === slot.box)!;
    const x = middle(slot) - size.width / 2;
    const top = tops[slot.row]! + (heights[slot.row]! - size.height) / 2;
    const inside = insides.get(slot.box)!;
    const at = inside && {
      layout: inside,
      x: x + (size.width - inside.width) / 2,
      y: top + size.height - insidePadding - inside.height,
    };
    return [{ box, ...size, x, y: top, inside: at }];
  });
  const placed = new Map(boxes.map((one) => [one.box.id, one]));
  const bottom = ({ box, row }: Slot): number =>
    box === null ? tops[row]! + heights[row]! : placed.get(box)!.y + placed.get(box)!.height;
  const turning = new Set(rows.sides.map(({ from }) => from));
  const top = (slot: Slot): number => {
    if (slot.box !== null) return placed.get(slot.box)!.y;
    return tops[slot.row]! + (turning.has(slot) ? 0 : heights[slot.row]!);
  };
  const wires: Wire[] = [];
  const texts: Label[] = [];
  routes.forEach((own, at) => {
    const base = tops[at]! + heights[at]! + labelSpace(own);
    for (const { net, exit, entries, track: number } of own) {
      const from = { x: exit, y: bottom(net.source) };
      const along = base + (number ?? 0) * track;
      for (const { slot, x } of entries) {
        const bend =
          x === exit
            ? []
            : [
                { x: exit, y: along },
                { x, y: along },
              ];
        wires.push({ points: [from, ...bend, { x, y: top(slot) }], arrow: slot.box !== null });
      }
      if (net.label !== "")
        texts.push({
          text: net.label,
          x: exit - labelWidth(net.source.box!) / 2,
          y: from.y + labelStem,
          width: labelWidth(net.source.box!),
          height: lineHeight("faint"),
        });
    }
  });
  for (const { from, to } of rows.sides) {
    const { x, y: above, width, height } = placed.get(to.box!)!;
    const level = above + height / 2;
    const down = { x: middle(from), y: tops[from.row]! };
    const corner = { x: down.x, y: level };
    wires.push({ points: [down, corner, { x: x + width, y: level }], arrow: true });
  }
  const last = flow.boxes[flow.boxes.length - 1];
  const lastPlaced = last && placed.get(last.id);
  return {
    width: rightmost - leftmost,
    height: y,
    boxes,
    wires: wires.filter(({ points }) => points.length > 2 || points[0]!.y !== points[1]!.y),
    labels: texts,
    exit: lastPlaced ? lastPlaced.x + lastPlaced.width / 2 + exitOf(last.id) : null,
  };
}

const labelSpace = (routes: readonly Route[]): number =>
  routes.some(({ net }) => net.label !== "") ? labelStem + lineHeight("faint") + 6 : 8;

const gapHeight = (routes: readonly Route[]): number => {
  const tracks = Math.max(-1, ...routes.map(({ track: number }) => number ?? -1)) + 1;
  return labelSpace(routes) + Math.max(tracks - 1, 0) * track + arrival;
};
