/** Where the slots of ordered rows stand from left to right: near what they are connected with. */

import { type Wish, placeInOrder } from "./isotonic.js";
import type { Rows, Slot } from "./rows.js";

const rounds = 60;
const aside = 0; // wires that go around layers leave the layers where they are

/**
 * The middle of every slot; `reach` is how far a slot and its labels go to either
 * side of it, `exit` how far from its middle its value leaves.
 */
export function columnsOf(
  rows: readonly (readonly Slot[])[],
  { nets, sides }: Rows,
  reach: (slot: Slot) => number,
  exit: (slot: Slot) => number,
  spacing: number,
): Map<Slot, number> {
  const rails = new Set(sides.map(({ from }) => from.from));
  const near = new Map<
    Slot,
    { readonly slot: Slot; readonly weight: number; readonly shift: number }[]
  >();
  const link = (a: Slot, b: Slot, weight: number): void => {
    near.set(a, [...(near.get(a) ?? []), { slot: b, weight, shift: -exit(a) }]);
    near.set(b, [...(near.get(b) ?? []), { slot: a, weight, shift: exit(a) }]);
  };
  for (const { source, targets } of nets)
    for (const target of targets) {
      const passing = [source, target].filter(({ box }) => box === null);
      const rail = passing.some(({ from }) => rails.has(from));
      link(
        source,
        target,
        passing.length === 2 ? 4 : rail ? aside : passing.length === 1 ? 0.5 : 1,
      );
    }
  const x = new Map<Slot, number>();
  const gapsOf = (row: readonly Slot[]): number[] =>
    row.slice(1).map((slot, i) => reach(row[i]!) + reach(slot) + spacing);
  for (const row of rows) {
    const whole = gapsOf(row).reduce((sum, gap) => sum + gap, 0);
    let at = -whole / 2;
    row.forEach((slot, i) => {
      x.set(slot, at);
      at += gapsOf(row)[i] ?? 0;
    });
  }
  for (let round = 0; round < rounds; round += 1)
    for (const row of round % 2 === 0 ? rows : [...rows].reverse()) {
      const wishes = row.map((slot): Wish => {
        const around = near.get(slot) ?? [];
        const weight = around.reduce((sum, { weight: own }) => sum + own, 0);
        if (weight === 0) return { x: x.get(slot)!, weight: 0.01 };
        const sum = around.reduce(
          (all, { slot: other, weight: own, shift }) => all + own * (x.get(other)! + shift),
          0,
        );
        return { x: sum / weight, weight };
      });
      placeInOrder(wishes, gapsOf(row)).forEach((place, i) => x.set(row[i]!, place));
    }
  straighten(rows, x, reach, spacing);
  return x;
}

/** Puts the places where one value passes below each other where their neighbours leave room for it. */
function straighten(
  rows: readonly (readonly Slot[])[],
  x: Map<Slot, number>,
  reach: (slot: Slot) => number,
  spacing: number,
): void {
  const chains = new Map<string, Slot[]>();
  for (const slot of rows.flat())
    if (slot.box === null) chains.set(slot.from, [...(chains.get(slot.from) ?? []), slot]);
  for (const chain of chains.values()) {
    const fits = (slot: Slot, place: number): boolean => {
      const row = rows[slot.row]!;
      const at = row.indexOf(slot);
      const room = (other: Slot | undefined, side: number): boolean =>
        other === undefined ||
        side * (x.get(other)! - place) >= reach(slot) + reach(other) + spacing - 0.01;
      return room(row[at - 1], -1) && room(row[at + 1], 1);
    };
    const head = rows.flat().find(({ key }) => key === chain[0]!.from)!;
    const places = [head, ...chain].map((slot) => x.get(slot)!);
    const candidates = [
      places[0]!,
      Math.max(...places.slice(1)),
      Math.min(...places.slice(1)),
      ...places,
    ];
    const place = candidates.find((candidate) => chain.every((slot) => fits(slot, candidate)));
    if (place !== undefined) for (const slot of chain) x.set(slot, place);
  }
}
