/**
 * The rows of a flow: every box below all that it depends on. A value needed further down than the next
 * row gets a place to pass in each row between, so that no wire runs through a box.
 */

import type { Edge, Flow } from "../drawing.js";

/** A box, or a place where the value of the box `from` passes a row. */
export interface Slot {
  readonly key: string;
  readonly box: string | null;
  readonly from: string;
  readonly row: number;
}

/** What leaves one slot for slots of the next row. */
export interface Net {
  readonly source: Slot;
  readonly targets: readonly Slot[];
  readonly label: string; // empty for a passing value: it had its label above
}

export interface Rows {
  readonly rows: readonly (readonly Slot[])[];
  readonly nets: readonly Net[];
  /** Values that enter a box of their own row from the side. */
  readonly sides: readonly { readonly from: Slot; readonly to: Slot }[];
}

export function rowsOf({ boxes, edges }: Flow): Rows {
  const row = ranks({ boxes, edges });
  const slots = new Map<string, Slot>();
  const rows: Slot[][] = [];
  const add = (slot: Slot): Slot => {
    slots.set(slot.key, slot);
    (rows[slot.row] ??= []).push(slot);
    return slot;
  };
  for (const { id } of boxes) add({ key: id, box: id, from: id, row: row.get(id)! });
  const nets: Net[] = [];
  const sides: { from: Slot; to: Slot }[] = [];
  const bySource = new Map<string, Edge[]>();
  for (const edge of edges) bySource.set(edge.from, [...(bySource.get(edge.from) ?? []), edge]);
  for (const [from, own] of bySource) {
    const first = row.get(from)!;
    const last = Math.max(
      ...own.map(({ to, residual }) => (residual ? row.get(to)! : row.get(to)! - 1)),
    );
    let source = slots.get(from)!;
    for (let at = first; at <= last; at += 1) {
      const targets = own
        .filter(({ to, residual }) => !residual && row.get(to) === at + 1)
        .map(({ to }) => slots.get(to)!);
      const next = { key: `${from}@${at + 1}`, box: null, from, row: at + 1 };
      const passing = at < last ? add(next) : null;
      if (passing) targets.push(passing);
      if (targets.length > 0)
        nets.push({ source, targets, label: at === first ? own[0]!.label : "" });
      if (!passing) break;
      for (const { to, residual } of own)
        if (residual && row.get(to) === at + 1) sides.push({ from: passing, to: slots.get(to)! });
      source = passing;
    }
  }
  return { rows, nets, sides };
}

/** The longest way to each box; a box that depends on nothing stands right above what needs it first. */
function ranks({ boxes, edges }: Flow): Map<string, number> {
  const row = new Map(boxes.map(({ id }) => [id, 0]));
  for (let changed = true, turns = 0; changed && turns <= boxes.length; turns += 1) {
    changed = false;
    for (const { from, to } of edges)
      if (row.get(to)! <= row.get(from)!) {
        row.set(to, row.get(from)! + 1);
        changed = true;
      }
  }
  for (const { id } of boxes) {
    const next = edges.filter(({ from }) => from === id).map(({ to }) => row.get(to)!);
    if (next.length > 0 && !edges.some(({ to }) => to === id)) row.set(id, Math.min(...next) - 1);
  }
  return row;
}
