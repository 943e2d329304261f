/**
 * What models, layers and recurrences cost, counted when somebody asks and once for each version: counting
 * a model lowers and schedules all of it.
 */

import type { LayerDeclaration } from "../../grammar/ast.js";
import { type Model, timeOf } from "../1-check/model.js";
import type { Application, Part } from "../1-check/trace.js";
import type { Watch } from "../1-check/watch.js";
import { lower } from "../2-lower/lower.js";
import { chooseForms } from "../3-derive/forms/forms.js";
import { reportText } from "../3-derive/forms/report.js";
import { parametersIn, stateBytes } from "../6-emit/diagram/counting.js";
import { bytes, count, parameterText } from "../6-emit/diagram/figures.js";
import type { Graph } from "../ir/graph.js";
import { type BlockSummary, type ModelSummary, summarise } from "../summary.js";

/** The length of a sequence for which FLOPs and the states of full attention are counted. */
const tokens = 2048;

const summaries = new WeakMap<Model, ModelSummary | null>();

/** Null for a model that cannot be counted. */
export function summaryOf(model: Model): ModelSummary | null {
  let summary = summaries.get(model);
  if (summary === undefined) {
    summary = attempt(() => summarise(model, timeOf(model, tokens)));
    summaries.set(model, summary);
  }
  return summary;
}

/** `1.13M parameters, 539K active · 1.2M FLOPs a token · 16 KiB of state` */
export function figuresText({
  parameters,
  activated,
  flopsPerToken,
  stateBytes: state,
}: Pick<BlockSummary, "parameters" | "activated" | "flopsPerToken" | "stateBytes">): string {
  const parts = [parameterText(parameters, activated), `${count(flopsPerToken)} FLOPs a token`];
  return [...parts, ...(state > 0 ? [`${bytes(state)} of state`] : [])].join(" · ");
}

/** Parameters and states of the first application of a layer in a model, from its token graphs. */
export function layerFigures(layer: LayerDeclaration, model: Model): string | null {
  for (const [name, parts] of model.parts) {
    const found = findApplication(parts, layer);
    if (!found) continue;
    const graph = model.module.functions.get(name)!;
    const { total, activated } = parametersIn(graph, found.parameters);
    const state = stateBytes(graph, found.states);
    const size = state > 0 ? ` · ${bytes(state)} of state` : "";
    return parameterText(total, activated) + size;
  }
  return null;
}

function findApplication(parts: readonly Part[], layer: LayerDeclaration): Application | null {
  for (const part of parts) {
    if (part.kind === "application" && part.layer === layer) return part;
    const inner = findApplication(part.kind === "step" ? part.parts : part.steps, layer);
    if (inner) return inner;
  }
  return null;
}

const families = new WeakMap<Watch, ReadonlyMap<string, string>>();

/** The family of each state of a layer that was checked on its own, or why it has none. */
export function familiesOf(watch: Watch): ReadonlyMap<string, string> {
  let found = families.get(watch);
  if (!found) families.set(watch, (found = attempt(() => findFamilies(watch)) ?? new Map()));
  return found;
}

function findFamilies({ builder, parts }: Watch): ReadonlyMap<string, string> {
  const value = parts[0]?.value ?? null;
  if (!builder || value === null) return new Map();
  const graph: Graph = { ...builder.finish(), outputs: [{ name: "y", value }] };
  const module = { main: graph.name, functions: new Map([[graph.name, graph]]) };
  const { reports } = chooseForms(lower(module, { batch: 1, time: 1024 }), {
    prefer: "chunk",
    chunk: null,
  });
  return new Map(reports.map((report) => [report.state, reportText(report)]));
}

/** What an editor shows beside a name is worth no failure. */
function attempt<T>(action: () => T): T | null {
  try {
    return action();
  } catch {
    return null;
  }
}
