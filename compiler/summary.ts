/** What a model is and costs, block by block, from its graphs: no formula beside them. */

import type { Model } from "./1-check/model.js";
import { lower } from "./2-lower/lower.js";
import { type CarriedState, recurrentForm } from "./3-derive/decode/recurrent-form.js";
import { chooseForms } from "./3-derive/forms/forms.js";
import type { RecurrenceReport } from "./3-derive/forms/report.js";
import { type PartCost, partCosts } from "./part-costs.js";
import { programCost } from "./5-schedule/costs.js";
import { schedule } from "./5-schedule/schedule.js";
import type { Graph } from "./ir/graph.js";
import { type Axis, byteCount, elementCount } from "./ir/types.js";

export interface Counts {
  readonly parameters: number;
  /** Those that take part in one token: of routed experts only the chosen ones. */
  readonly activated: number;
}

export interface BlockSummary extends Counts {
  /** `blocks.0`; empty for what lies outside of all blocks. */
  readonly path: string;
  /** The block's recipe in the source; null outside. */
  readonly layer: string | null;
  /** What generation carries from token to token for one sequence. */
  readonly stateBytes: number;
  /** Forward, in the form that training uses. */
  readonly flopsPerToken: number;
  /** What lies in it, by the first names of the paths. */
  readonly parts: readonly PartSummary[];
}

/** A named part of a block: the layers and parameters of one statement. */
export interface PartSummary extends Counts {
  readonly name: string;
  readonly stateBytes: number;
  /** Of the layers in it; what is fused into another layer's kernel counts there. */
  readonly flopsPerToken: number;
  readonly parts: readonly PartSummary[];
}

export interface ModelSummary extends Counts {
  readonly model: string;
  /** The length of the sequence that FLOPs and the states of full attention are given for. */
  readonly tokens: number;
  readonly stateBytes: number;
  readonly flopsPerToken: number;
  readonly blocks: readonly BlockSummary[];
  readonly recurrences: readonly RecurrenceReport[];
}

/** @param packed whether a row of the training may hold several documents */
export function summarise(model: Model, tokens: number, packed = false): ModelSummary {
  const { module: formed, reports } = chooseForms(lower(model.module, { batch: 1, time: tokens }), {
    prefer: "chunk",
    chunk: null,
    packed,
  });
  const evaluation = schedule(formed);
  const cost = programCost(evaluation);
  const costs = partCosts(model, evaluation);
  const carried = carriedBy(model, tokens);
  const states: Carried[] = [];
  const calls = callsOf(model.module.functions.get(model.module.main)!);
  for (const { name, axes } of carried) {
    const path = [...calls.keys()].find((prefix) => name.startsWith(`${prefix}.`)) ?? "";
    const names = name.slice(path === "" ? 0 : path.length + 1).split(".");
    states.push({ block: path, names, bytes: byteCount({ dtype: "float", axes }) });
  }
  const parameters = countParameters(model);
  const paths = ["", ...calls.keys()];
  const blocks = paths.map((path): BlockSummary => {
    const own = parameters.filter(({ block }) => block === path);
    const carries = states.filter(({ block }) => block === path);
    return {
      path,
      layer: calls.get(path) ?? null,
      ...sumOf(own),
      stateBytes: bytesOf(carries),
      flopsPerToken: (path === "" ? cost.own : cost.blocks.get(path)!).flops / tokens,
      parts: partsOf(
        own,
        carries,
        costs.get(calls.get(path) ?? model.module.main)!.map(({ names, flops }) => ({
          names,
          flops: flops / tokens,
        })),
        0,
      ),
    };
  });
  return {
    model: model.name,
    tokens,
    ...sumOf(parameters),
    stateBytes: bytesOf(states),
    flopsPerToken: cost.total.flops / tokens,
    blocks,
    recurrences: reports,
  };
}

/** What is carried from token to token; a window is read at once, and nothing is. */
function carriedBy({ module, window }: Model, tokens: number): readonly CarriedState[] {
  return window ? [] : recurrentForm(lower(module, { batch: 1, time: 1 }), tokens).carried;
}

/** All parameters of a model, and how many of them one token meets. */
export function parameterCounts(model: Model): Counts {
  return sumOf(countParameters(model));
}

/** A parameter at the token level. */
export interface Counted extends Counts {
  readonly path: string; // in the whole model
  readonly block: string; // the path of its block; empty outside
  readonly names: readonly string[]; // its path within the block
  readonly axes: readonly Axis[]; // with those of the experts, each of which has its own
}

interface Carried {
  readonly block: string;
  readonly names: readonly string[];
  readonly bytes: number;
}

const bytesOf = (states: readonly Carried[]): number =>
  states.reduce((sum, { bytes }) => sum + bytes, 0);

/** The parts that begin at a depth of the paths; what carries no parameters is a part when it has parts. */
function partsOf(
  parameters: readonly Counted[],
  states: readonly Carried[],
  costs: readonly PartCost[],
  depth: number,
): PartSummary[] {
  const names = new Set([
    ...parameters.flatMap((each) => each.names[depth] ?? []),
    ...states.flatMap((each) => (each.names.length > depth + 1 ? [each.names[depth]!] : [])),
  ]);
  return [...names].map((name) => {
    const own = parameters.filter((each) => each.names[depth] === name);
    const carries = states.filter((each) => each.names[depth] === name);
    const costly = costs.filter((each) => each.names[depth] === name);
    const flopsPerToken = costly.reduce((sum, { flops }) => sum + flops, 0);
    const parts = partsOf(own, carries, costly, depth + 1);
    return { name, ...sumOf(own), stateBytes: bytesOf(carries), flopsPerToken, parts };
  });
}

/** Every parameter once, at the token level, where a mix still knows its experts and its picks. */
export function countParameters({ module }: Model): Counted[] {
  const seen = new Set<string>();
  const found: Counted[] = [];
  const visit = (graph: Graph, prefix: string, block: string): void => {
    const routes = new Map(
      graph.nodes.flatMap((node) => {
        if (node.op !== "mix") return [];
        const picks = graph.values[node.inputs[1]!]!.type;
        return [
          [
            node.attributes.region,
            { experts: [node.attributes.experts], picks: elementCount(picks) },
          ],
        ];
      }),
    );
    for (const { path, value, region } of graph.parameters) {
      if (seen.has(prefix + path)) continue;
      seen.add(prefix + path);
      const { type } = graph.values[value]!;
      const { experts, picks } = (region === null ? undefined : routes.get(region)) ?? {
        experts: [],
        picks: 1,
      };
      const whole = prefix + path;
      const axes = [...experts, ...type.axes];
      found.push({
        path: whole,
        block,
        names: whole.slice(block === "" ? 0 : block.length + 1).split("."),
        axes,
        parameters: elementCount({ dtype: "float", axes }),
        activated: elementCount(type) * picks,
      });
    }
    for (const node of graph.nodes) {
      if (node.op !== "call") continue;
      const path = prefix + node.attributes.prefix;
      visit(module.functions.get(node.attributes.callee)!, `${path}.`, block === "" ? path : block);
    }
  };
  visit(module.functions.get(module.main)!, "", "");
  return found;
}

/** The blocks that a graph calls, by their paths. */
const callsOf = ({ nodes }: Graph): Map<string, string> =>
  new Map(
    nodes.flatMap((node) =>
      node.op === "call" ? [[node.attributes.prefix, node.attributes.callee]] : [],
    ),
  );

function sumOf(counts: readonly Counts[]): Counts {
  return {
    parameters: counts.reduce((sum, { parameters }) => sum + parameters, 0),
    activated: counts.reduce((sum, { activated }) => sum + activated, 0),
  };
}
