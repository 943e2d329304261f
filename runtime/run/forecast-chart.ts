/**
 * `forecast.svg`: one window of a series with its forecast, a panel for each channel, in the data's own units. As
 * in `loss.svg`, curves differ by stroke as well as by colour, and a description says what is drawn.
 */

import { STYLE, escape, shorten } from "./loss-chart.js";
import { niceTicks } from "./ticks.js";

export interface ChannelForecast {
  readonly title: string;
  readonly past: readonly number[];
  /** What came behind the window; empty where nobody knows yet. */
  readonly truth: readonly number[];
  readonly forecast: readonly number[];
  /** The linear map's forecast; empty without one. */
  readonly linear: readonly number[];
}

export interface ForecastChart {
  /** Such as the model's name. */
  readonly title: string;
  readonly channels: readonly ChannelForecast[];
}

const width = 840;
const [left, right, top] = [64, width - 24, 84];
const [panelHeight, gap, bottom] = [150, 42, 48];
const mostPanels = 8;

const curves = [
  { name: "observed", key: "truth", style: "observed" },
  { name: "linear map", key: "linear", style: "baseline" },
  { name: "forecast", key: "forecast", style: "training" },
] as const;

/** The chart as a complete SVG document; values that are not finite are left out. */
export function forecastChart({ title, channels }: ForecastChart): string {
  const panels = channels.filter(hasSomething).slice(0, mostPanels);
  const height = top + panels.length * (panelHeight + gap) + bottom - gap;
  const shown = curves.filter(({ key }) => panels.some((panel) => panel[key].length > 0));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="forecast-title forecast-desc">
  <title id="forecast-title">${escape(`A forecast of ${title}`)}</title>
  <desc id="forecast-desc">${escape(describe(panels))}</desc>
  <style>${STYLE}
    .observed { stroke: #374151; stroke-width: 1.5; } .now { stroke: #9ca3af; stroke-dasharray: 2 3; }
    @media (prefers-color-scheme: dark) { .observed { stroke: #d1d5db; } }
  </style>
  <rect class="paper" width="${width}" height="${height}" rx="8"/>
  <text class="name" x="${left}" y="34">${escape(shorten(title, 80))}</text>
  ${legend(shown)}
  ${panels.map((panel, i) => drawPanel(panel, top + i * (panelHeight + gap))).join("\n  ")}
  <text x="${(left + right) / 2}" y="${height - 12}" text-anchor="middle">points in time from the end of the window</text>
</svg>
`;
}

/** Also keeps out what is so large that the distance of two of them is not finite. */
const isDrawable = (value: number): boolean => Math.abs(value) < 1e300;

const hasSomething = ({ past, forecast }: ChannelForecast): boolean =>
  [past, forecast].some((values) => values.some(isDrawable));

function legend(entries: readonly (typeof curves)[number][]): string {
  return entries
    .map(({ name, style }, i) => {
      const x = left + i * 130;
      const line = `<line class="${style}" x1="${x}" x2="${x + 26}" y1="57" y2="57"/>`;
      return `${line}<text x="${x + 33}" y="61">${name}</text>`;
    })
    .join("\n  ");
}

/** One channel: what was seen to the left of now, what came and what was forecast to the right. */
function drawPanel(channel: ChannelForecast, y0: number): string {
  const { title, past, truth, forecast, linear } = channel;
  const ahead = forecast.length;
  const values = [past, truth, forecast, linear].flat().filter(isDrawable);
  const [low, high] = values.reduce(
    ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
    [Infinity, -Infinity],
  );
  const span = high - low || 1;
  const x = (t: number): number =>
    round(left + ((t + past.length) / (past.length + ahead)) * (right - left));
  const y = (value: number): number => round(y0 + panelHeight * (1 - (value - low) / span));
  const line = (points: readonly number[], from: number): string => {
    let pen = "M";
    return points
      .map((value, i) => {
        if (!isDrawable(value)) {
          pen = "M";
          return "";
        }
        const step = `${pen}${x(from + i)} ${y(value)}`;
        pen = "L";
        return step;
      })
      .join("");
  };
  const up = niceTicks(low, low + span, 4);
  const across = niceTicks(-past.length, ahead, 8, 1);
  const joined = past.length > 0 ? [past.at(-1)!] : [];
  const from = -joined.length;
  const drawn = curves.flatMap(({ key, style }) =>
    channel[key].length === 0
      ? []
      : [`<path class="${style}" d="${line([...joined, ...channel[key]], from)}"/>`],
  );
  return [
    `<text x="${left}" y="${y0 - 8}">${escape(shorten(title, 60))}</text>`,
    ...up.values.map(
      (v) => `<line class="grid" x1="${left}" x2="${right}" y1="${y(v)}" y2="${y(v)}"/>`,
    ),
    ...up.values.map(
      (v) => `<text x="${left - 8}" y="${y(v) + 4}" text-anchor="end">${up.label(v)}</text>`,
    ),
    ...across.values.map(
      (v) =>
        `<text x="${x(v)}" y="${y0 + panelHeight + 18}" text-anchor="middle">${across.label(v)}</text>`,
    ),
    `<line class="axis" x1="${left}" x2="${right}" y1="${y0 + panelHeight}" y2="${y0 + panelHeight}"/>`,
    `<line class="now" x1="${x(0)}" x2="${x(0)}" y1="${y0}" y2="${y0 + panelHeight}"/>`,
    `<path class="observed" d="${line(past, -past.length)}"/>`,
    ...drawn,
  ].join("\n  ");
}

const round = (value: number): number => Math.round(value * 100) / 100;

function describe(channels: readonly ChannelForecast[]): string {
  const [first] = channels;
  if (!first) return "Nothing was forecast.";
  const names = channels.map(({ title }) => title).join(", ");
  const known = first.truth.length > 0 ? ", beside what was observed" : "";
  return `Line charts of ${names}: ${first.past.length} points in time that were read, and a forecast of the next ${first.forecast.length}${known}.`;
}
