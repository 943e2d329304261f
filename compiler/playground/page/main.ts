/** The playground: an editor, what the compiler makes of its program, and a training in the page. */

import { Chart } from "../../../runtime/live/page/chart.js";
import { HeatMaps, type LoadRecord } from "../../../runtime/live/page/heat-map.js";
import type { BackendName } from "../../../runtime/tfjs/backend.js";
import { type Point, smooth, thin } from "../../../runtime/run/series.js";
import { type Pane, type View, views } from "../views.js";
import type { CompilerFunctions, Mistake, Report } from "../workers/compiler.worker.js";
import { type Event, Remote } from "../workers/rpc.js";
import type { Showing } from "../workers/lessons.js";
import type { Progress, TrainerFunctions } from "../workers/trainer.worker.js";
import { Editor, type Knowledge } from "./editor.js";
import { fromAddress, toAddress } from "./share.js";
import examples from "lsm:examples";

const element = <E extends HTMLElement>(id: string): E => document.getElementById(id) as E;
const status = element("status");
const mistakes = element("mistakes");
const shown = element("shown");
const model = element<HTMLSelectElement>("model");
const training = element<HTMLSelectElement>("training");
const start = element<HTMLButtonElement>("train");
const tabs = Object.entries(views).map(([name, title]) => makeTab(name as View, title));
element("tabs").append(...tabs);
shown.setAttribute("aria-labelledby", tabs[0]!.id);

const compiler = new Remote<CompilerFunctions>(
  new Worker(new URL("./compiler.js", location.href), { type: "module" }),
);

const settle = 150; // ms without a key until the program is looked at

let view: View = "diagram";
let report: Report | null = null;
let timer = 0;
let newest = 0; // of the requests for a view

const given = await fromAddress(location.hash);
const knowledge: Knowledge = {
  hover: (offset) => compiler.call("hover", offset),
  complete: (text, offset) => compiler.call("complete", text, offset),
};
const editor = new Editor(element("editor"), given ?? examples[0]!.text, knowledge, () => {
  clearTimeout(timer);
  timer = window.setTimeout(() => void look(), settle);
});

async function look(): Promise<void> {
  const { text } = editor;
  try {
    report = await compiler.call("check", text);
  } catch (error) {
    status.textContent = `lsm itself failed: ${String(error)}`;
    return;
  }
  if (text !== editor.text) return;
  editor.mark(report.mistakes, report.hints);
  showMistakes(report.mistakes);
  fill(model, report.models);
  fill(
    training,
    report.trainings.map(({ name }) => name),
  );
  start.disabled = report.trainings.length === 0 && trainer === null;
  const address = await toAddress(text);
  history.replaceState(null, "", address ?? location.pathname + location.search);
  await show();
}

function showMistakes(found: readonly Mistake[]): void {
  status.textContent =
    found.length === 0 ? "no mistakes" : `${found.length} mistake${found.length === 1 ? "" : "s"}`;
  status.classList.toggle("wrong", found.length > 0);
  mistakes.replaceChildren(
    ...found.map(({ message, code, from }) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = message;
      button.title = code;
      button.addEventListener("click", () => editor.goTo(from));
      item.append(button);
      return item;
    }),
  );
}

/** The options of a menu, with what was chosen still chosen. */
function fill(menu: HTMLSelectElement, names: readonly string[]): void {
  const chosen = menu.value;
  menu.replaceChildren(...names.map((name) => new Option(name, name, false, name === chosen)));
  menu.disabled = names.length === 0;
}

async function show(): Promise<void> {
  const own = ++newest;
  if (model.value === "") return; // the last view stays while there are mistakes
  shown.setAttribute("aria-busy", "true");
  try {
    const panes = await compiler.call("view", view, model.value);
    if (own !== newest) return;
    shown.classList.toggle("several", panes.length > 1);
    shown.replaceChildren(...panes.map((pane) => drawPane(pane, panes.length > 1)));
  } catch (error) {
    if (own === newest) shown.textContent = error instanceof Error ? error.message : String(error);
  } finally {
    if (own === newest) shown.removeAttribute("aria-busy");
  }
}

function drawPane({ title, kind, content }: Pane, titled: boolean): HTMLElement {
  const pane = document.createElement("section");
  pane.className = "pane";
  pane.setAttribute("aria-label", title);
  if (titled) {
    const heading = document.createElement("h3");
    heading.textContent = title;
    pane.append(heading);
  }
  if (kind === "svg") pane.insertAdjacentHTML("beforeend", content);
  else if (kind === "image") {
    const image = new Image();
    image.src = `data:image/svg+xml,${encodeURIComponent(content)}`;
    image.alt = /<desc[^>]*>([^<]*)/.exec(content)?.[1] ?? title;
    pane.append(image);
  } else {
    const text = document.createElement("pre");
    text.textContent = content;
    text.tabIndex = 0;
    pane.append(text);
  }
  return pane;
}

function makeTab(name: View, title: string): HTMLButtonElement {
  const tab = document.createElement("button");
  const first = name === Object.keys(views)[0];
  Object.assign(tab, { type: "button", id: `tab-${name}`, textContent: title, role: "tab" });
  tab.tabIndex = first ? 0 : -1;
  tab.dataset["view"] = name;
  tab.setAttribute("aria-selected", String(first));
  tab.setAttribute("aria-controls", "shown");
  return tab;
}

function choose(tab: HTMLButtonElement): void {
  for (const one of tabs) {
    one.setAttribute("aria-selected", String(one === tab));
    one.tabIndex = one === tab ? 0 : -1;
  }
  view = tab.dataset["view"] as View;
  shown.setAttribute("aria-labelledby", tab.id);
  void show();
}

for (const tab of tabs) tab.addEventListener("click", () => choose(tab));
element("tabs").addEventListener("keydown", ({ key }) => {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[key];
  if (by === undefined) return;
  const next =
    tabs[
      (tabs.indexOf(document.activeElement as HTMLButtonElement) + by + tabs.length) % tabs.length
    ]!;
  next.focus();
  choose(next);
});
model.addEventListener("change", () => void show());

const menu = element<HTMLSelectElement>("examples");
menu.append(...examples.map(({ name }, at) => new Option(name, String(at))));
menu.addEventListener("change", () => {
  const example = examples[Number(menu.value)];
  if (example) editor.text = example.text;
  menu.value = "";
});
element("format").addEventListener("click", () => {
  void compiler.call("format", editor.text).then((text) => (editor.text = text));
});

// ── training ──

const charts = element("curve");
const chart = new Chart(charts, {
  title: "Loss",
  wide: true,
  digits: (value) => value.toFixed(3),
});
const heatMaps = new HeatMaps(element("loads"));
const trainStatus = element("trained");
const samples = element("samples");
const drawnPoints = 800;
let trainer: Remote<TrainerFunctions> | null = null;
let losses: Point[] = [];
let heldOut: Point[] = [];
let loads: LoadRecord[] = [];
let drawn = 0;

function onEvent({ event, value }: Event): void {
  if (event === "backend") element("backend").textContent = String(value);
  else if (event === "progress") onProgress(value as Progress);
  else if (event === "restart") forget();
  else if (event === "shown") {
    const { step, ...showing } = value as Showing & { readonly step: number };
    const article = drawPane({ title: `After step ${step}`, ...showing }, true);
    if (showing.kind === "image")
      samples.replaceChildren(article); // each picture is of the same window
    else samples.prepend(article);
  }
}

function forget(): void {
  [losses, heldOut, loads] = [[], [], []];
  samples.replaceChildren();
}

function onProgress(progress: Progress): void {
  const { step, steps, loss, tokensPerSecond, heldOut: measured } = progress;
  losses.push([step, loss]);
  if (measured !== null) heldOut.push([step, measured]);
  if (Object.keys(progress.loads).length > 0) loads.push({ step, loads: progress.loads });
  const speed = Math.round(tokensPerSecond).toLocaleString("en-US");
  trainStatus.textContent = `step ${step} of ${steps}, loss ${loss.toFixed(3)}, ${speed} tokens/s`;
  if (performance.now() - drawn < 200 && step < steps) return;
  drawn = performance.now();
  const curve = thin(smooth(losses, losses.length / 40), drawnPoints);
  chart.draw(
    [
      { label: "training", colour: "#3b7dd8", dashed: false, points: curve },
      { label: "held out", colour: "#d9822b", dashed: true, points: heldOut },
    ],
    false,
  );
  heatMaps.draw(new Map([["", loads]]));
}

async function train(): Promise<void> {
  element("training-part").hidden = false;
  forget();
  start.textContent = "Stop";
  trainStatus.textContent = "starting …";
  const worker = new Worker(new URL("./trainer.js", location.href), { type: "module" });
  trainer = new Remote<TrainerFunctions>(worker, onEvent);
  try {
    const wasm = new URL("./wasm/", location.href).href;
    await trainer.call("train", {
      program: editor.text,
      training: training.value,
      text: await textToLearn(),
      backend: new URLSearchParams(location.search).get("backend") as BackendName | null,
      wasm,
    });
    trainStatus.textContent += ", done";
  } catch (error) {
    trainStatus.textContent = error instanceof Error ? error.message : String(error);
  } finally {
    trainer.end();
    trainer = null;
    start.textContent = "Train";
    start.disabled = (report?.trainings.length ?? 0) === 0;
  }
}

/** The file that was chosen, or else what came with the page. */
async function textToLearn(): Promise<string> {
  const file = element<HTMLInputElement>("file").files?.[0];
  if (file) return file.text();
  const source = report?.trainings.find(({ name }) => name === training.value)?.source;
  if (source?.kind === "chosen")
    throw new Error(`the page does not have ${source.name}: choose the file under “Data”`);
  if (source?.kind !== "page") return "";
  const response = await fetch(`./${source.file}`);
  if (!response.ok) throw new Error(`${source.file}, which came with the page, is not there`);
  return response.text();
}

start.addEventListener("click", () => {
  if (trainer) void trainer.call("stop");
  else void train();
});

await look();
if (location.protocol.startsWith("http")) void navigator.serviceWorker?.register("./offline.js");
