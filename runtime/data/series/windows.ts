/**
 * Windows of a series: `lookback` points in time and the `horizon` behind them. The part of a series that a window
 * belongs to is the one that its horizon lies in; it may look back into the parts before.
 */

import { RandomStream } from "../../random/stream.js";
import type { Dataset, WindowBatch } from "../dataset.js";

export interface Windows {
  /** Standardised values, one array a channel. */
  readonly channels: readonly Float32Array[];
  /** Points in time at which a horizon begins: from `from` up to, without, `to`. */
  readonly from: number;
  readonly to: number;
  readonly lookback: number;
  readonly horizon: number;
  /** Whether every channel is a series of its own, a row of a batch; else a row has all of them side by side. */
  readonly separate: boolean;
  /** Tokens that the model makes of one. */
  readonly tokens: number;
  readonly fingerprint: string;
}

/** How many windows there are; each channel has its own where they are separate. */
export const windowCount = ({ from, to, channels, separate }: Windows): number =>
  Math.max(0, to - from) * (separate ? channels.length : 1);

/** Every window once, or every `spacing`th, in order: for measuring. Channels of one point in time stand together. */
export function measuringWindows(windows: Windows, spacing = 1): Dataset<WindowBatch> {
  const count = Math.ceil(windowCount(windows) / spacing);
  return dataset(windows, count, (index) => (index % count) * spacing);
}

/**
 * Windows without end: all of them in a new order every epoch, which permutation(windows) of the stream
 * `data/epoch/<number>` gives, so that row `index` depends on the seed and on nothing drawn before.
 */
export function trainingWindows(windows: Windows, seed: number): Dataset<WindowBatch> {
  const count = windowCount(windows);
  const epochs: { readonly number: number; readonly order: Uint32Array }[] = []; // the last two
  return dataset(windows, count, (index) => {
    const number = Math.floor(index / count);
    let epoch = epochs.find((one) => one.number === number);
    if (!epoch) {
      epoch = { number, order: new RandomStream(seed, `data/epoch/${number}`).permutation(count) };
      epochs.unshift(epoch);
      epochs.length = Math.min(epochs.length, 2);
    }
    return epoch.order[index % count]!;
  });
}

function dataset(
  windows: Windows,
  count: number,
  place: (index: number) => number,
): Dataset<WindowBatch> {
  const { lookback, horizon, channels, separate, tokens } = windows;
  const width = separate ? 1 : channels.length;
  const around = separate ? [] : [channels.length];
  return {
    seq: tokens,
    rowsPerEpoch: count,
    weighted: false,
    fingerprint: windows.fingerprint,
    read(position, rows, filled, weighted) {
      const series = new Float32Array(rows * lookback * width);
      const future = new Float32Array(rows * horizon * width);
      const weights = weighted ? new Float32Array(rows) : null;
      for (let r = 0; r < filled; r++) {
        const size = { past: lookback * width, next: horizon * width };
        writeWindow(windows, place(position + r), {
          past: series.subarray(r * size.past, (r + 1) * size.past),
          next: future.subarray(r * size.next, (r + 1) * size.next),
        });
        if (weights) weights[r] = 1;
      }
      const shapes = { series: [lookback, ...around], future: [horizon, ...around] };
      return { kind: "windows", rows, seq: tokens, series, future, weights, shapes, position };
    },
  };
}

/** A window's values, time after time and, where channels stand side by side, channel after channel. */
export function writeWindow(
  { channels, from, lookback, horizon, separate }: Windows,
  index: number,
  { past, next }: { readonly past: Float32Array; readonly next: Float32Array },
): void {
  const chosen = separate ? [channels[index % channels.length]!] : channels;
  const start = from + (separate ? Math.floor(index / channels.length) : index);
  const width = chosen.length;
  chosen.forEach((values, c) => {
    for (let t = 0; t < lookback; t++) past[t * width + c] = values[start - lookback + t]!;
    for (let t = 0; t < horizon; t++) next[t * width + c] = values[start + t]!;
  });
}
