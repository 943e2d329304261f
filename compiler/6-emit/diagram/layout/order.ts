/** The order within each row: sweeps down and up that bring neighbours together, the best one kept. */

import type { Rows, Slot } from "./rows.js";

const sweeps = 12;

export function orderRows({ rows, nets, sides }: Rows): Slot[][] {
  const links = nets.flatMap(({ source, targets }) =>
    targets.map((target) => [source, target] as const),
  );
  let current = rows.map((row) => [...row]);
  let best = current;
  let fewest = Infinity;
  for (let sweep = 0; sweep < sweeps && fewest > 0; sweep += 1) {
    const crossings = countCrossings(current, links);
    if (crossings < fewest) [best, fewest] = [current.map((row) => [...row]), crossings];
    const down = sweep % 2 === 0;
    const order = current.map((_, i) => i);
    for (const at of down ? order.slice(1) : order.slice(0, -1).reverse()) {
      const beside = current[down ? at - 1 : at + 1]!;
      const place = new Map(beside.map((slot, i) => [slot, i]));
      const wish = (slot: Slot, i: number): number => {
        const around = links.flatMap(([a, b]) =>
          b === slot && place.has(a)
            ? [place.get(a)!]
            : a === slot && place.has(b)
              ? [place.get(b)!]
              : [],
        );
        return around.length === 0 ? i : around.reduce((sum, x) => sum + x, 0) / around.length;
      };
      const wishes = new Map(current[at]!.map((slot, i) => [slot, wish(slot, i)]));
      current[at] = [...current[at]!].sort((a, b) => wishes.get(a)! - wishes.get(b)!);
    }
    current = current.map((row) => [...row]);
  }
  return best.map((row) => railsOutside(row, sides));
}

/** What goes around layers runs on the right of everything in its row. */
function railsOutside(row: readonly Slot[], sides: Rows["sides"]): Slot[] {
  const rails = new Set(sides.map(({ from }) => from.from));
  const isRail = (slot: Slot): boolean => slot.box === null && rails.has(slot.from);
  return [...row.filter((slot) => !isRail(slot)), ...row.filter(isRail)];
}

function countCrossings(
  rows: readonly (readonly Slot[])[],
  links: readonly (readonly [Slot, Slot])[],
): number {
  const place = new Map(rows.flatMap((row) => row.map((slot, i) => [slot, i] as const)));
  let count = 0;
  links.forEach(([a, b], i) => {
    for (const [c, d] of links.slice(i + 1))
      if (a.row === c.row && (place.get(a)! - place.get(c)!) * (place.get(b)! - place.get(d)!) < 0)
        count += 1;
  });
  return count;
}
