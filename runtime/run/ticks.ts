/** Round numbers for axes: 1, 2 or 5 times a power of ten. */

export interface Ticks {
  readonly values: readonly number[];
  /** Enough decimals to tell neighbours apart. */
  label(value: number): string;
}

/**
 * At most about `count` round values inside [low, high].
 *
 * @param least the smallest distance between two of them, for axes that count: 1
 */
export function niceTicks(low: number, high: number, count: number, least = 0): Ticks {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(
    least,
    power * ([1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) ?? 10),
  );
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const values = Array.from(
    { length: Math.max(0, last - first + 1) },
    (_, i) => (first + i) * step,
  );
  const decimals = Math.max(0, Math.min(12, -Math.floor(Math.log10(step) + 1e-9)));
  return { values, label: (value) => compact(value, decimals) };
}

function compact(value: number, decimals: number): string {
  const [divisor, unit] =
    Math.abs(value) >= 1e6 ? [1e6, "M"] : Math.abs(value) >= 1e4 ? [1e3, "k"] : [1, ""];
  return divisor === 1
    ? value.toFixed(decimals)
    : `${Number((value / divisor).toPrecision(6))}${unit}`;
}
