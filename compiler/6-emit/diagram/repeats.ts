/** A sequence with its repeats folded: `L L L N L L L N` is twice (three times L, then N). */

export interface Repeat {
  readonly times: number;
  readonly unit: readonly Folded[];
}

export type Folded = number | Repeat; // an index into the sequence that was given, or a repeat

/** Folds the repeat that covers most first, the one with the shortest unit among equals. */
export function fold(keys: readonly string[], start = 0): readonly Folded[] {
  let best = { at: 0, period: 0, times: 1 };
  for (let at = 0; at < keys.length; at += 1)
    for (let period = 1; at + 2 * period <= keys.length; period += 1) {
      let end = at + period;
      while (end < keys.length && keys[end] === keys[end - period]) end += 1;
      const times = Math.floor((end - at) / period);
      if (times > 1 && period * times > best.period * best.times) best = { at, period, times };
    }
  if (best.times === 1) return keys.map((_, i) => start + i);
  const { at, period, times } = best;
  const end = at + period * times;
  return [
    ...fold(keys.slice(0, at), start),
    { times, unit: fold(keys.slice(at, at + period), start + at) },
    ...fold(keys.slice(end), start + end),
  ];
}
