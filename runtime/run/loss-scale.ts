/** From steps and losses to places on the chart. */

import type { Point } from "./series.js";

/** The inside of a chart, in its own units; `top` is above `bottom`, so it is the smaller number. */
export interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export interface LossScale {
  /** The ends of the axes. */
  readonly steps: readonly [number, number];
  readonly losses: readonly [number, number];
  x(step: number): number;
  y(loss: number): number;
}

/**
 * A scale on which everything in `shown` fits, and of the raw losses all but the highest 2%: a few spikes must not
 * flatten the rest. Steps begin at 0; losses begin at 0 only where they come near it.
 */
export function lossScale(frame: Frame, raw: readonly Point[], shown: readonly Point[]): LossScale {
  const sorted = raw.map(([, loss]) => loss).sort((a, b) => a - b);
  const losses = shown.map(([, loss]) => loss);
  if (sorted.length > 0) losses.push(sorted[0]!, sorted[Math.floor(sorted.length * 0.98)]!);
  const low = losses.length > 0 ? losses.reduce((a, b) => Math.min(a, b)) : 0;
  const high = losses.length > 0 ? losses.reduce((a, b) => Math.max(a, b)) : 1;
  const room = Math.max(high - low || 1, Math.abs(high) * 1e-6) * 0.05;
  const bottom = low >= 0 ? Math.max(0, low - room) : low;
  const top = high + room;
  const end = shown.reduce((most, [step]) => Math.max(most, step), 1);
  const place = (share: number, from: number, to: number) =>
    Number((from + share * (to - from)).toFixed(1));
  return {
    steps: [0, end],
    losses: [bottom, top],
    x: (step) => place(step / end, frame.left, frame.right),
    y: (loss) => place((loss - bottom) / (top - bottom), frame.bottom, frame.top),
  };
}
