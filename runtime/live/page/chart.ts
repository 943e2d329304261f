/** One chart: a measured quantity over the steps, a line for each run. */

import uPlot from "uplot";
import type { Point } from "../../run/series.js";

export interface Line {
  readonly label: string;
  readonly colour: string;
  readonly dashed: boolean;
  readonly points: readonly Point[];
}

export interface ChartOptions {
  readonly title: string;
  /** Across the whole page. */
  readonly wide: boolean;
  readonly digits: (value: number) => string;
}

const height = (wide: boolean): number => (wide ? 340 : 200);

export class Chart {
  private readonly figure = document.createElement("figure");
  private readonly said = document.createElement("output");
  private readonly place = document.createElement("div");
  private plot: uPlot | null = null;
  private shape = ""; // which lines the plot has

  constructor(
    parent: HTMLElement,
    private readonly options: ChartOptions,
  ) {
    const caption = document.createElement("figcaption");
    caption.append(options.title, this.said);
    this.figure.append(caption, this.place);
    this.figure.classList.toggle("wide", options.wide);
    parent.append(this.figure);
    new ResizeObserver(() => this.plot?.setSize(this.size())).observe(this.figure);
  }

  draw(lines: readonly Line[], logarithmic: boolean): void {
    const shown = lines.filter(({ points }) => points.length > 0);
    this.figure.hidden = shown.length === 0;
    if (shown.length === 0) return;
    this.said.textContent = shown
      .map(({ label, points }) => `${label} ${this.options.digits(points.at(-1)![1])}`)
      .join(" · ");
    this.figure.setAttribute("aria-label", `${this.options.title}: ${this.said.textContent}`);
    const data = uPlot.join(
      shown.map(({ points }): uPlot.AlignedData => [
        points.map(([step]) => step),
        points.map(([, value]) => value),
      ]),
    );
    const shape = JSON.stringify([logarithmic, shown.map(({ points: _, ...line }) => line)]);
    if (this.plot && shape === this.shape) {
      this.plot.setData(data);
      return;
    }
    this.plot?.destroy();
    this.shape = shape;
    this.plot = new uPlot(this.plotOptions(shown, logarithmic), data, this.place);
  }

  private plotOptions(lines: readonly Line[], logarithmic: boolean): uPlot.Options {
    const style = getComputedStyle(document.documentElement);
    const ink = resolveColour("--faint", style);
    const grid = { stroke: resolveColour("--line", style), width: 1 };
    const axis = { stroke: ink, grid, ticks: grid };
    return {
      ...this.size(),
      scales: { x: { time: false }, y: { distr: logarithmic ? 3 : 1 } },
      axes: [
        { ...axis, label: "step", labelSize: 18, size: 34 },
        { ...axis, size: 62, values: (_, ticks) => ticks.map((tick) => tickText(tick)) },
      ],
      series: [
        { label: "step" },
        ...lines.map(({ label, colour, dashed }) => ({
          label,
          stroke: colour,
          width: 1.75,
          spanGaps: true,
          ...(dashed && { dash: [6, 4] }),
          points: { show: dashed },
          value: (_: uPlot, value: number | null) =>
            value === null ? "–" : this.options.digits(value),
        })),
      ],
      cursor: { sync: { key: "steps" } },
    };
  }

  private size(): { width: number; height: number } {
    const width = Math.max(240, this.figure.clientWidth - 24);
    return { width, height: height(this.options.wide) };
  }
}

/** A chart draws on a canvas, which knows no variables and no `light-dark()`. */
function resolveColour(name: string, style: CSSStyleDeclaration): string {
  const probe = document.createElement("i");
  probe.style.color = style.getPropertyValue(name);
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

function tickText(tick: number | null): string {
  if (tick === null) return "";
  const size = Math.abs(tick);
  return size !== 0 && (size < 1e-3 || size >= 1e6)
    ? tick.toExponential(0)
    : String(Number(tick.toPrecision(4)));
}
