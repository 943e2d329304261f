/** The playground: an editor, what the compiler makes of its program, and a training in the page. */

import { Chart } from "../../../runtime/live/page/chart.js";
import { type Point, smooth, thin } from "../../../runtime/run/series.js";
import {
  type CompilerFunctions,
  type Mistake,
  type Report,
  type View,
} from "../workers/compiler.worker.js";
import { type Event, Remote } from "../workers/rpc.js";
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
const tabs = [...document.querySelectorAll<HTMLButtonElement>("[role=tab]")];

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
    const { kind, content } = await compiler.call("view", view, model.value);
    if (own !== newest) return;
    if (kind === "svg") shown.innerHTML = content;
    else {
      const text = document.createElement("pre");
      text.textContent = content;
      text.tabIndex = 0;
      shown.replaceChildren(text);
    }
  } catch (error) {
    if (own === newest) shown.textContent = error instanceof Error ? error.message : String(error);
  } finally {
    if (own === newest) shown.removeAttribute("aria-busy");
  }
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
const trainStatus = element("trained");
const samples = element("samples");
const drawnPoints = 800;
let trainer: Remote<TrainerFunctions> | null = null;
let losses: Point[] = [];
let heldOut: Point[] = [];
let drawn = 0;

function onEvent({ event, value }: Event): void {
  if (event === "backend") element("backend").textContent = String(value);
  else if (event === "progress") onProgress(value as Progress);
  else if (event === "sample") {
    const { step, text } = value as { step: number; text: string };
    const article = document.createElement("article");
    const heading = document.createElement("h3");
    heading.textContent = `After step ${step}`;
    const said = document.createElement("pre");
    said.textContent = text;
    article.append(heading, said);
    samples.prepend(article);
  }
}

function onProgress({ step, steps, loss, tokensPerSecond, heldOut: measured }: Progress): void {
  losses.push([step, loss]);
  if (measured !== null) heldOut.push([step, measured]);
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
}

async function train(): Promise<void> {
  element("training-part").hidden = false;
  [losses, heldOut] = [[], []];
  samples.replaceChildren();
  start.textContent = "Stop";
  trainStatus.textContent = "starting …";
  const worker = new Worker(new URL("./trainer.js", location.href), { type: "module" });
  trainer = new Remote<TrainerFunctions>(worker, onEvent);
  try {
    const wasm = new URL("./wasm/", location.href).href;
    await trainer.call("train", editor.text, training.value, await textToLearn(), wasm);
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

/** The file that was chosen, or else the text that came with the page. */
async function textToLearn(): Promise<string> {
  const file = element<HTMLInputElement>("file").files?.[0];
  if (file) return file.text();
  if (!report?.trainings.some(({ name, text }) => name === training.value && text)) return "";
  const response = await fetch("./moby-dick.txt");
  if (!response.ok) throw new Error("the text that came with the page is not there");
  return response.text();
}

start.addEventListener("click", () => {
  if (trainer) void trainer.call("stop");
  else void train();
});

await look();
if (location.protocol.startsWith("http")) void navigator.serviceWorker?.register("./offline.js");
