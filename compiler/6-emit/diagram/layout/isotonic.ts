/**
 * Places in a row, as near as possible to where each would like to be: minimises Σ weight · (x − wish)²
 * with neighbours at least `gaps` apart. Taking the gaps off makes it isotonic regression, which pooling
 * neighbours that are out of order solves exactly.
 */

export interface Wish {
  readonly x: number;
  readonly weight: number;
}

export function placeInOrder(wishes: readonly Wish[], gaps: readonly number[]): number[] {
  const offsets = [0];
  for (const gap of gaps) offsets.push(offsets[offsets.length - 1]! + gap);
  const pools: { sum: number; weight: number; count: number }[] = [];
  const mean = (at: number): number => pools[at]!.sum / pools[at]!.weight;
  wishes.forEach(({ x, weight }, i) => {
    pools.push({ sum: (x - offsets[i]!) * weight, weight, count: 1 });
    while (pools.length > 1 && mean(pools.length - 2) > mean(pools.length - 1)) {
      const last = pools.pop()!;
      const before = pools.pop()!;
      pools.push({
        sum: before.sum + last.sum,
        weight: before.weight + last.weight,
        count: before.count + last.count,
      });
    }
  });
  const placed = pools.flatMap(({ count }, at) => Array<number>(count).fill(mean(at)));
  return placed.map((x, i) => x + offsets[i]!);
}
