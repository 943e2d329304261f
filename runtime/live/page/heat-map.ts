/**
 * A picture of each route of a run: its experts from top to bottom, steps from left to right, and how busy each was, from
 * nothing to several times its even share. Blue is idle and orange is busy, which all kinds of colour-blind eyes tell apart.
 */

import type { Loads } from "../../run/loads.js";
import { maxLoad } from "../../run/loads.js";
import { type Rgb, loadColour } from "./load-colour.js";

export interface LoadRecord {
  readonly step: number;
  readonly loads: Loads;
}

/** Pixels of a picture of few experts; more experts get no less than two each. */
const height = 96;

/** One run's routes, under its name. */
export class HeatMaps {
  private readonly figures = new Map<string, HeatMap>();

  constructor(private readonly parent: HTMLElement) {}

  /** @param runs by the name that the page shows for the run; the empty one where there is but one */
  draw(runs: ReadonlyMap<string, readonly LoadRecord[]>): void {
    const shown = new Set<string>();
    for (const [run, records] of runs)
      for (const route of new Set(records.flatMap(({ loads }) => Object.keys(loads)))) {
        const title = run === "" ? route : `${run}: ${route}`;
        shown.add(title);
        let figure = this.figures.get(title);
        if (!figure) this.figures.set(title, (figure = new HeatMap(this.parent, title)));
        figure.draw(
          records.flatMap(({ step, loads }) =>
            loads[route] ? [[step, loads[route]] as const] : [],
          ),
        );
      }
    for (const [title, figure] of this.figures) {
      if (shown.has(title)) continue;
      figure.remove();
      this.figures.delete(title);
    }
    this.parent.parentElement!.hidden = shown.size === 0;
  }
}

type Column = readonly [step: number, load: readonly number[]];

class HeatMap {
  private readonly figure = document.createElement("figure");
  private readonly canvas = document.createElement("canvas");
  private readonly said = document.createElement("output");
  private columns: readonly Column[] = [];

  constructor(
    parent: HTMLElement,
    private readonly title: string,
  ) {
    const caption = document.createElement("figcaption");
    caption.append(title, this.said);
    this.canvas.setAttribute("role", "img");
    this.figure.append(caption, this.canvas);
    parent.append(this.figure);
    this.canvas.addEventListener("pointermove", (event) => {
      this.said.textContent = this.at(event) ?? this.newest();
    });
    this.canvas.addEventListener("pointerleave", () => (this.said.textContent = this.newest()));
  }

  remove(): void {
    this.figure.remove();
  }

  draw(columns: readonly Column[]): void {
    this.columns = columns;
    const experts = columns[0]?.[1].length ?? 0;
    const { canvas } = this;
    canvas.width = columns.length; // a pixel a record; the style stretches them
    canvas.height = experts;
    canvas.style.height = `${Math.max(height, 2 * experts)}px`;
    const context = canvas.getContext("2d");
    if (!context || experts === 0) return;
    const image = context.createImageData(columns.length, experts);
    const paper = pageColour();
    columns.forEach(([, load], x) =>
      load.forEach((share, y) => {
        image.data.set([...loadColour(share * experts, paper), 255], 4 * (y * columns.length + x));
      }),
    );
    context.putImageData(image, 0, 0);
    this.said.textContent = this.newest();
    canvas.setAttribute(
      "aria-label",
      `${this.title}, load of ${experts} experts: ${this.newest()}`,
    );
  }

  private newest(): string {
    const [step, load] = this.columns.at(-1) ?? [0, [1]];
    const busiest = load.indexOf(Math.max(...load));
    return `step ${step}: expert ${busiest} busiest, ${maxLoad(load).toFixed(2)} × even`;
  }

  /** What lies under the pointer. */
  private at({ offsetX, offsetY }: PointerEvent): string | null {
    const { clientWidth, clientHeight } = this.canvas;
    const column = this.columns[Math.floor((offsetX / clientWidth) * this.columns.length)];
    if (!column) return null;
    const [step, load] = column;
    const expert = Math.floor((offsetY / clientHeight) * load.length);
    const share = load[expert];
    return share === undefined
      ? null
      : `step ${step}: expert ${expert}, ${(share * load.length).toFixed(2)} × even`;
  }
}

/** The panel's colour, which stands for an even load. */
function pageColour(): Rgb {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  return dark ? [36, 41, 48] : [240, 241, 243];
}
