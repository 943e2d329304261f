/** Series of points as a chart needs them: smoothed, and no finer than can be drawn. */

import type { MetricRecord } from "./metrics.js";

/** Step and value. */
export type Point = readonly [step: number, value: number];

/** The measured values of one name, such as `loss`, in the records that have one. */
export function seriesOf(records: readonly MetricRecord[], name: string): Point[] {
  return records.flatMap(({ step, [name]: value }): Point[] =>
    typeof value === "number" ? [[step, value]] : [],
  );
}

/**
 * An exponential average over about `window` points; fewer at the start (a fifth of those seen), where a loss falls
 * so fast that a wide average would trail far behind it.
 */
export function smooth(points: readonly Point[], window: number): Point[] {
  let average = 0;
  return points.map(([step, value], i) => {
    const span = Math.max(1, Math.min(window, 1 + i / 5));
    average += ((value - average) * 2) / (span + 1);
    return [step, average];
  });
}

/** At most about `count` points that keep the extremes: the lowest and highest of every stretch, in order. */
export function thin(points: readonly Point[], count: number): Point[] {
  if (points.length <= count) return [...points];
  const stretch = Math.ceil((2 * points.length) / count);
  const kept: Point[] = [];
  for (let from = 0; from < points.length; from += stretch) {
    const part = points.slice(from, from + stretch);
    const low = part.reduce((best, point) => (point[1] < best[1] ? point : best));
    const high = part.reduce((best, point) => (point[1] > best[1] ? point : best));
    kept.push(...(low === high ? [low] : low[0] < high[0] ? [low, high] : [high, low]));
  }
  return kept;
}
