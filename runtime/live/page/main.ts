/** The training page: the list of runs, the charts of those that are chosen, and what the newest wrote. */

import type { RunListing } from "../runs.node.js";
import { Chart, type Line } from "./chart.js";
import { HeatMaps } from "./heat-map.js";
import { RunData, get } from "./run-data.js";

const colours = [
  "#3b7dd8",
  "#d9822b",
  "#3a9d5d",
  "#c2478d",
  "#8a63d2",
  "#1b9aaa",
  "#b5651d",
  "#7a8450",
];
const askEvery = 1000; // ms
const liveFor = 15_000; // ms since the last line, until a run counts as ended or stopped

const element = <E extends HTMLElement>(id: string): E => document.getElementById(id) as E;
const smoothing = element<HTMLInputElement>("smooth");
const logarithmic = element<HTMLInputElement>("log");

interface Quantity {
  readonly title: string;
  readonly lines: readonly { readonly name: string; readonly suffix: string }[];
  readonly digits: (value: number) => string;
  readonly wide?: boolean;
}

const significant = (value: number): string => String(Number(value.toPrecision(4)));

const quantities: readonly Quantity[] = [
  {
    title: "Loss",
    lines: [
      { name: "loss", suffix: "" },
      { name: "eval_loss", suffix: " held out" },
    ],
    digits: (value) => value.toFixed(4),
    wide: true,
  },
  {
    title: "Accuracy",
    lines: [{ name: "accuracy", suffix: "" }],
    digits: (value) => `${(100 * value).toFixed(1)}%`,
  },
  { title: "Learning rate", lines: [{ name: "lr", suffix: "" }], digits: significant },
  { title: "Gradient norm", lines: [{ name: "grad_norm", suffix: "" }], digits: significant },
  {
    title: "Tokens a second",
    lines: [{ name: "tokens_per_second", suffix: "" }],
    digits: (value) => Math.round(value).toLocaleString("en-US"),
  },
  {
    title: "Busiest expert’s load, times the mean",
    lines: [{ name: "router_max_load", suffix: "" }],
    digits: (value) => value.toFixed(2),
  },
  {
    title: "Router entropy, 1 is even",
    lines: [{ name: "router_entropy", suffix: "" }],
    digits: (value) => value.toFixed(3),
  },
];

const runs = new Map<string, RunData>();
const chosen = new Set<string>();
const charts = quantities.map(
  ({ title, digits, wide = false }) => new Chart(element("charts"), { title, digits, wide }),
);

const heatMaps = new HeatMaps(element("loads"));

async function ask(): Promise<void> {
  const listings = await get<readonly RunListing[]>("/runs");
  const first = runs.size === 0;
  for (const listing of listings) {
    const known = runs.get(listing.name);
    if (known) known.listing = listing;
    else {
      runs.set(listing.name, new RunData(listing, colours[runs.size % colours.length]!));
      if (isLive(listing)) chosen.add(listing.name);
    }
  }
  if (first && chosen.size === 0 && listings[0]) chosen.add(listings[0].name);
  let fresh = false;
  for (const name of chosen) fresh = (await runs.get(name)!.update()) || fresh;
  showList(listings);
  if (fresh || first) show();
}

const isLive = ({ changed }: RunListing): boolean => Date.now() - changed < liveFor;

function show(): void {
  const shown = [...chosen].map((name) => runs.get(name)!);
  quantities.forEach(({ lines }, at) => {
    const drawn = shown.flatMap((run): Line[] =>
      lines.map(({ name, suffix }, i) => ({
        label: shown.length > 1 ? `${run.listing.name}${suffix}` : suffix.trim() || "now",
        colour: run.colour,
        dashed: i > 0,
        points: run.curve(name, smoothing.checked && i === 0 && name !== "lr"),
      })),
    );
    charts[at]!.draw(drawn, logarithmic.checked && at === 0);
  });
  heatMaps.draw(new Map(shown.map((run) => [shown.length > 1 ? run.listing.name : "", run.loads])));
  element("samples").replaceChildren(
    ...shown.flatMap((run) =>
      run.samples
        .slice(-3)
        .reverse()
        .map(({ step, text }) => {
          const article = document.createElement("article");
          const heading = document.createElement("h2");
          heading.textContent = `${run.listing.name}, step ${step.toLocaleString("en-US")}, wrote`;
          const said = document.createElement("pre");
          said.textContent = text;
          article.append(heading, said);
          return article;
        }),
    ),
  );
}

/** The list keeps its elements, so that it keeps the focus while it changes. */
const rows = new Map<string, { readonly item: HTMLElement; readonly facts: HTMLElement }>();

function showList(listings: readonly RunListing[]): void {
  for (const listing of listings) {
    const { name, model, steps } = listing;
    let row = rows.get(name);
    if (!row) rows.set(name, (row = makeRow(name)));
    const { step } = runs.get(name)!;
    const of = steps > 0 ? ` of ${steps.toLocaleString("en-US")}` : "";
    const made = chosen.has(name) ? `step ${step.toLocaleString("en-US")}${of}` : "";
    row.facts.textContent = [model, made, isLive(listing) ? "running" : ""]
      .filter(Boolean)
      .join(", ");
  }
  const live = listings.filter(isLive).length;
  element("state").textContent =
    listings.length === 0
      ? "no runs here yet: lsm train writes them to runs/"
      : `${listings.length} run${listings.length === 1 ? "" : "s"}, ${live} running`;
}

function makeRow(name: string): { item: HTMLElement; facts: HTMLElement } {
  const item = document.createElement("li");
  const label = document.createElement("label");
  const box = document.createElement("input");
  box.type = "checkbox";
  box.checked = chosen.has(name);
  box.addEventListener("change", () => {
    if (box.checked) chosen.add(name);
    else chosen.delete(name);
    void refresh();
  });
  const swatch = document.createElement("i");
  swatch.className = "swatch";
  swatch.style.background = runs.get(name)!.colour;
  const title = document.createElement("span");
  title.textContent = name;
  const facts = document.createElement("small");
  label.append(box, swatch, title, facts);
  item.append(label);
  element("runs").append(item);
  return { item, facts };
}

async function refresh(): Promise<void> {
  for (const name of chosen) await runs.get(name)!.update();
  show();
}

smoothing.addEventListener("change", show);
logarithmic.addEventListener("change", show);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => location.reload());

async function keepAsking(): Promise<void> {
  try {
    await ask();
  } catch {
    element("state").textContent = "lsm does not answer any more; the charts show what was known";
  }
  setTimeout(() => void keepAsking(), askEvery);
}
void keepAsking();
