/**
 * `loss.svg`: the run's loss as a picture that explains itself, in light and dark, to eyes and to screen readers.
 * Every curve differs by its stroke as well as by its colour; names and last values stand in the legend, where
 * they cannot cover a curve or each other.
 */

import { type Frame, type LossScale, lossScale } from "./loss-scale.js";
import { type Point, smooth, thin } from "./series.js";
import { niceTicks } from "./ticks.js";

export interface LossChart {
  /** Such as the model's name. */
  readonly title: string;
  readonly training: readonly Point[];
  readonly heldOut: readonly Point[];
  /** Losses to compare with, drawn as dashed lines: `{ name: "bigram model", loss: 2.4 }`. */
  readonly baselines: readonly { readonly name: string; readonly loss: number }[];
  /** What losses are counted in. */
  readonly unit: string;
}

const WIDTH = 840;
const HEIGHT = 460;
const PLOT: Frame = { left: 64, right: WIDTH - 24, top: 84, bottom: HEIGHT - 56 };

export const STYLE = `
    svg { color-scheme: light dark; font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; }
    .paper { fill: #ffffff; } text { fill: #4b5563; } .name { fill: #111827; font-size: 17px; font-weight: 600; }
    .grid { stroke: #e5e7eb; } .axis { stroke: #9ca3af; } path, line, circle { fill: none; stroke-width: 1; }
    .raw { stroke: #93b4f5; stroke-opacity: 0.55; } .training { stroke: #1d4ed8; stroke-width: 2.25; stroke-linejoin: round; }
    .held { stroke: #c2410c; stroke-width: 1.75; } circle.held { fill: #ffffff; }
    .baseline { stroke: #6b7280; stroke-width: 1.5; stroke-dasharray: 6 5; } .baseline-1 { stroke-dasharray: 2 4; }
    @media (prefers-color-scheme: dark) {
      .paper { fill: #111827; } text { fill: #b6bdc9; } .name { fill: #f3f4f6; } .grid { stroke: #273244; } .axis { stroke: #6b7280; }
      .raw { stroke: #3b5fae; } .training { stroke: #7aa7ff; } .held { stroke: #fb923c; } circle.held { fill: #111827; }
      .baseline { stroke: #9ca3af; }
    }`;

/** The chart as a complete SVG document; numbers that are not finite are left out. */
export function lossChart(chart: LossChart): string {
  const training = chart.training.filter(([, loss]) => isDrawable(loss));
  const heldOut = chart.heldOut.filter(([, loss]) => isDrawable(loss));
  const baselines = chart.baselines.filter(({ loss }) => isDrawable(loss));
  const smoothed = smooth(training, training.length / 40);
  const scale = lossScale(PLOT, training, [
    ...smoothed,
    ...heldOut,
    ...baselines.map(({ loss }): Point => [0, loss]),
  ]);

  const legend: LegendEntry[] = [];
  const curves: string[] = [];
  baselines.forEach(({ name, loss }, i) => {
    const style = `baseline baseline-${i}`;
    curves.push(
      `<line class="${style}" x1="${PLOT.left}" x2="${PLOT.right}" y1="${scale.y(loss)}" y2="${scale.y(loss)}"/>`,
    );
    legend.push({ style, mark: false, text: `${name} ${loss.toFixed(3)}` });
  });
  if (heldOut.length > 0) {
    curves.push(`<path class="held" d="${path(heldOut, scale)}"/>`);
    for (const [step, loss] of thin(heldOut, 60))
      curves.push(`<circle class="held" cx="${scale.x(step)}" cy="${scale.y(loss)}" r="3.5"/>`);
    legend.unshift({ style: "held", mark: true, text: `held out ${last(heldOut)}` });
  }
  if (training.length > 0) {
    curves.unshift(`<path class="raw" d="${path(thin(training, 1200), scale)}"/>`);
    curves.push(`<path class="training" d="${path(thin(smoothed, 600), scale)}"/>`);
    legend.unshift({
      style: "training",
      mark: false,
      text: `training, smoothed ${last(smoothed)}`,
    });
  }

  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="loss-title loss-desc">
  <title id="loss-title">${escape(`Loss of ${chart.title}`)}</title>
  <desc id="loss-desc">${escape(describe(smoothed, heldOut, legend, chart.unit))}</desc>
  <style>${STYLE}
  </style>
  <rect class="paper" width="${WIDTH}" height="${HEIGHT}" rx="8"/>
  <text class="name" x="${PLOT.left}" y="34">${escape(shorten(chart.title, 80))}</text>
  ${drawLegend(legend)}
  ${drawAxes(scale, chart.unit)}
  <clipPath id="loss-plot"><rect x="${PLOT.left}" y="${PLOT.top - 4}" width="${PLOT.right - PLOT.left + 4}" height="${PLOT.bottom - PLOT.top + 4}"/></clipPath>
  <g clip-path="url(#loss-plot)">
    ${curves.join("\n    ")}
  </g>
</svg>
`;
}

function drawAxes({ steps, losses, x, y }: LossScale, unit: string): string {
  const across = niceTicks(...steps, 8, 1);
  const up = niceTicks(...losses, 6);
  return [
    ...up.values.map(
      (v) => `<line class="grid" x1="${PLOT.left}" x2="${PLOT.right}" y1="${y(v)}" y2="${y(v)}"/>`,
    ),
    ...up.values.map(
      (v) => `<text x="${PLOT.left - 8}" y="${y(v) + 4}" text-anchor="end">${up.label(v)}</text>`,
    ),
    `<line class="axis" x1="${PLOT.left}" x2="${PLOT.right}" y1="${PLOT.bottom}" y2="${PLOT.bottom}"/>`,
    ...across.values.map(
      (v) =>
        `<line class="axis" x1="${x(v)}" x2="${x(v)}" y1="${PLOT.bottom}" y2="${PLOT.bottom + 5}"/>`,
    ),
    ...across.values.map(
      (v) =>
        `<text x="${x(v)}" y="${PLOT.bottom + 20}" text-anchor="middle">${across.label(v)}</text>`,
    ),
    `<text x="${(PLOT.left + PLOT.right) / 2}" y="${HEIGHT - 12}" text-anchor="middle">step</text>`,
    `<text transform="translate(18 ${(PLOT.top + PLOT.bottom) / 2}) rotate(-90)" text-anchor="middle">loss, ${escape(unit)}</text>`,
  ].join("\n  ");
}

interface LegendEntry {
  readonly style: string;
  /** Whether its points are circled. */
  readonly mark: boolean;
  readonly text: string;
}

const LETTER = 7.2; // a generous width of one letter at this size
const SAMPLE = 26;

function drawLegend(entries: readonly LegendEntry[]): string {
  let x = PLOT.left;
  let y = 57;
  return entries
    .map(({ style, mark, text }) => {
      const label = shorten(text, 34);
      const width = Math.round(SAMPLE + 7 + label.length * LETTER + 18);
      if (x + width > PLOT.right) [x, y] = [PLOT.left, y + 18];
      const line = `<line class="${style}" x1="${x}" x2="${x + SAMPLE}" y1="${y}" y2="${y}"/>`;
      const circle = mark
        ? `<circle class="${style}" cx="${x + SAMPLE / 2}" cy="${y}" r="3.5"/>`
        : "";
      const name = `<text x="${x + SAMPLE + 7}" y="${y + 4}">${escape(label)}</text>`;
      x += width;
      return line + circle + name;
    })
    .join("\n  ");
}

function describe(
  smoothed: readonly Point[],
  heldOut: readonly Point[],
  legend: readonly LegendEntry[],
  unit: string,
): string {
  const points = smoothed.length > 0 ? smoothed : heldOut;
  if (points.length === 0) return "Nothing was measured yet.";
  const steps = `over ${points.at(-1)![0]} steps`;
  return `A line chart of the loss, ${unit}, ${steps}. It begins at ${points[0]![1].toFixed(3)}. Last values: ${legend.map(({ text }) => text).join("; ")}.`;
}

function path(points: readonly Point[], { x, y }: LossScale): string {
  return points.map(([step, loss], i) => `${i === 0 ? "M" : "L"}${x(step)} ${y(loss)}`).join("");
}

function last(points: readonly Point[]): string {
  return points.at(-1)![1].toFixed(3);
}

/** Also keeps out what is so large that the distance of two of them is not finite. */
function isDrawable(value: number): boolean {
  return Math.abs(value) < 1e300;
}

export function shorten(text: string, letters: number): string {
  return text.length > letters ? `${text.slice(0, letters - 1)}…` : text;
}

/** Text for XML: its marks escaped, what XML forbids left out. */
export function escape(text: string): string {
  const allowed = text.replace(
    /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu,
    "",
  );
  return allowed.replace(/[&<>"]/g, (mark) => `&#${mark.charCodeAt(0)};`);
}
