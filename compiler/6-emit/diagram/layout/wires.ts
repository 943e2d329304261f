/**
 * The wires between two rows. A value leaves its box in the middle, runs along a track of its own
 * between the rows, and enters boxes from above; from straight above where it can.
 */

import { placeInOrder } from "./isotonic.js";
import type { Net, Slot } from "./rows.js";

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Where a slot's wires leave and enter. */
export interface Ends {
  readonly exit: number;
  readonly left: number;
  readonly right: number;
}

/** A net with the places where it enters, and the track it runs along; null when it needs none. */
export interface Route {
  readonly net: Net;
  readonly exit: number;
  readonly entries: readonly { readonly slot: Slot; readonly x: number }[];
  readonly track: number | null;
}

const portGap = 12;
const clearance = 8;

export function routesOf(nets: readonly Net[], ends: (slot: Slot) => Ends): readonly Route[] {
  const entries = entriesOf(nets, ends);
  const routes = nets.map((net) => ({
    net,
    exit: ends(net.source).exit,
    entries: net.targets.map((slot) => ({ slot, x: entries.get(slot)!.get(net)! })),
  }));
  const bent = routes.filter(({ exit, entries: own }) => own.some(({ x }) => x !== exit));
  const tracks = tracksOf(bent);
  return routes.map((route) => ({ ...route, track: tracks.get(route) ?? null }));
}

/** For every slot that is entered, where each net enters it. */
function entriesOf(
  nets: readonly Net[],
  ends: (slot: Slot) => Ends,
): Map<Slot, ReadonlyMap<Net, number>> {
  const entering = new Map<Slot, Net[]>();
  for (const net of nets)
    for (const slot of net.targets) entering.set(slot, [...(entering.get(slot) ?? []), net]);
  const placed = new Map<Slot, ReadonlyMap<Net, number>>();
  for (const [slot, own] of entering) {
    const { left, right } = ends(slot);
    const clamp = (x: number): number => Math.min(Math.max(x, left), right);
    const sorted = [...own].sort((a, b) => ends(a.source).exit - ends(b.source).exit);
    const gap = Math.min(portGap, (right - left) / Math.max(1, sorted.length - 1));
    const wishes = sorted.map(({ source }) => ({ x: clamp(ends(source).exit), weight: 1 }));
    let places = placeInOrder(
      wishes,
      sorted.slice(1).map(() => gap),
    );
    const over = Math.max(0, places[places.length - 1]! - right) - Math.max(0, left - places[0]!);
    places = places.map((x) => x - over);
    placed.set(slot, new Map(sorted.map((net, i) => [net, places[i]!])));
  }
  return placed;
}

type Bent = Omit<Route, "track">;

/** A track for each: no two that share a stretch on one track, and stems above what enters below them. */
function tracksOf(routes: readonly Bent[]): Map<Bent, number> {
  const tracks = new Map<Bent, number>();
  const span = ({ exit, entries }: Bent): [number, number] => {
    const xs = [exit, ...entries.map(({ x }) => x)];
    return [Math.min(...xs) - clearance, Math.max(...xs) + clearance];
  };
  const above = (a: Bent, b: Bent): boolean =>
    a !== b && b.entries.some(({ x }) => Math.abs(x - a.exit) < clearance);
  const left = [...routes].sort((a, b) => a.exit - b.exit);
  while (left.length > 0) {
    const free = left.findIndex((route) => !left.some((other) => above(other, route)));
    const [route] = left.splice(Math.max(free, 0), 1) as [Bent];
    const [low, high] = span(route);
    let track = 0;
    for (const [other, used] of tracks) {
      const [from, to] = span(other);
      const meets = from < high && low < to;
      if (meets && used >= track) track = used + 1;
    }
    tracks.set(route, track);
  }
  return tracks;
}
