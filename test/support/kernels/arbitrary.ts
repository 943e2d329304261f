/** Random axes, sizes and numbers. Everything follows from fast-check's seed. */

import fc from "fast-check";
import type { Sizes } from "../../../runtime/tfjs/letters.js";
import { type Named, build } from "./named.js";

export type Random = () => number;

/** mulberry32: numbers in [0, 1). */
export function random(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export const seeds = fc.noBias(fc.integer({ min: 0, max: 2 ** 31 }));

/** Float32 numbers in [low, high), so that both sides start from the same. */
export function floats(letters: string, sizes: Sizes, next: Random, low = -1, high = 1): Named {
  return build(letters, sizes, () => Math.fround(low + (high - low) * next()));
}

/** Whole numbers 0 … below. */
export function whole(
  letters: string,
  sizes: Sizes,
  next: Random,
  below: number,
  dtype: Named["dtype"] = "int32",
): Named {
  return build(letters, sizes, () => Math.floor(next() * below), dtype);
}

export function pick<T>(next: Random, list: readonly T[]): T {
  return list[Math.floor(next() * list.length)]!;
}

export function shuffled(next: Random, letters: string): string {
  const list = [...letters];
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list.join("");
}

/** Each letter with the given chance, in the order given. */
export function some(next: Random, letters: string, chance = 0.5): string {
  return [...letters].filter(() => next() < chance).join("");
}

/** Sizes for the letters whose product stays small. */
export function smallSizes(next: Random, letters: string, most = 1500): Record<string, number> {
  const sizes: Record<string, number> = {};
  let product = 1;
  for (const letter of shuffled(next, letters)) {
    const allowed = [1, 2, 3, 4, 5, 7].filter((n) => n * product <= most);
    sizes[letter] = pick(next, allowed);
    product *= sizes[letter];
  }
  return sizes;
}
