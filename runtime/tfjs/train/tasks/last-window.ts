/** The last window of a series whose future is known, with what was forecast of it, in the data's own units. */

import type { OpenedSeries } from "../../../data/series/opened.js";
import { type Windows, writeWindow } from "../../../data/series/windows.js";
import type { ChannelForecast } from "../../../run/forecast-chart.js";

/** @param forecast gives the standardised forecast of each of several standardised windows */
export async function lastForecasts(
  data: OpenedSeries,
  windows: Windows,
  forecast: (pasts: readonly Float32Array[]) => Promise<readonly Float32Array[]>,
): Promise<ChannelForecast[]> {
  const { channels, from, to, lookback, horizon, separate } = windows;
  const width = channels.length;
  const read = (apart: boolean, channel: number): { past: Float32Array; next: Float32Array } => {
    const size = apart ? 1 : width;
    const arrays = {
      past: new Float32Array(lookback * size),
      next: new Float32Array(horizon * size),
    };
    const at = to - from - 1;
    writeWindow({ ...windows, separate: apart }, apart ? at * width + channel : at, arrays);
    return arrays;
  };
  const rows = separate ? channels.map((_, c) => read(true, c)) : [read(false, 0)];
  const made = await forecast(rows.map(({ past }) => past));
  const { linear } = data.baselines();
  return channels.map((_, c) => {
    const own = read(true, c);
    const { mean, deviation } = data.scales[c]!;
    const restored = (values: ArrayLike<number>): number[] =>
      Array.from(values, (value) => value * deviation + mean);
    const mine = separate ? made[c]! : made[0]!.filter((_value, i) => i % width === c);
    return {
      title: data.series.titles[c]!,
      past: restored(own.past),
      truth: restored(own.next),
      forecast: restored(mine),
      linear: restored(linear(own.past)),
    };
  });
}
