/** What a model is and costs, block by block, from its graphs: no formula beside them. */

import type { Model } from "./1-check/model.js";
import { lower } from "./2-lower/lower.js";
import { type CarriedState, recurrentForm } from "./3-derive/decode/recurrent-form.js";
import { type RecurrenceReport, chooseForms } from "./3-derive/forms/forms.js";
import { programCost } from "./5-schedule/costs.js";
import { schedule } from "./5-schedule/schedule.js";
import type { Graph } from "./ir/graph.js";
import { elementCount } from "./ir/types.js";

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
  /** Parameters by the first part of their paths. */
  readonly parts: readonly (Counts & { readonly name: string })[];
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
  const carried = carriedBy(model, tokens);
  const states = new Map<string, number>();
  const calls = callsOf(model.module.functions.get(model.module.main)!);
  for (const { name, axes } of carried) {
    const path = [...calls.keys()].find((prefix) => name.startsWith(`${prefix}.`)) ?? "";
    states.set(path, (states.get(path) ?? 0) + 4 * elementCount({ dtype: "float", axes }));
  }
  const parameters = countParameters(model);
  const paths = ["", ...calls.keys()];
  const blocks = paths.map((path): BlockSummary => {
    const own = parameters.filter(({ block }) => block === path);
    return {
      path,
      layer: calls.get(path) ?? null,
      ...sumOf(own),
      stateBytes: states.get(path) ?? 0,
      flopsPerToken: (path === "" ? cost.own : cost.blocks.get(path)!).flops / tokens,
      parts: groupBy(own, ({ name }) => name).map(([name, group]) => ({ name, ...sumOf(group) })),
    };
  });
  return {
    model: model.name,
    tokens,
    ...sumOf(parameters),
    stateBytes: [...states.values()].reduce((sum, bytes) => sum + bytes, 0),
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

interface Counted extends Counts {
  readonly block: string;
  readonly name: string; // the first part of the path within the block
}

/** Every parameter once, at the token level, where a mix still knows its experts and its picks. */
function countParameters({ module }: Model): Counted[] {
  const seen = new Set<string>();
  const found: Counted[] = [];
  const visit = (graph: Graph, prefix: string, block: string): void => {
    const experts = new Map(
      graph.nodes.flatMap((node) => {
        if (node.op !== "mix") return [];
        const picks = graph.values[node.inputs[1]!]!.type;
        return [
          [
            node.attributes.region,
            { all: node.attributes.experts.size, picks: elementCount(picks) },
          ],
        ];
      }),
    );
    for (const { path, value, region } of graph.parameters) {
      if (seen.has(prefix + path)) continue;
      seen.add(prefix + path);
      const size = elementCount(graph.values[value]!.type);
      const { all, picks } = (region === null ? undefined : experts.get(region)) ?? {
        all: 1,
        picks: 1,
      };
      const name = (prefix + path).slice(block === "" ? 0 : block.length + 1).split(".")[0]!;
      found.push({ block, name, parameters: size * all, activated: size * picks });
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

function groupBy<T>(items: readonly T[], key: (item: T) => string): [string, T[]][] {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return [...groups];
}
