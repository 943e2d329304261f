/** How two models differ in what they are and cost: figures, blocks, parameters with their shapes, recurrences. */

import { reportText } from "./3-derive/forms/report.js";
import { type Pair, align } from "./align.js";
import { type Model, timeOf } from "./1-check/model.js";
import { type Axis, showAxes } from "./ir/types.js";
import {
  type BlockSummary,
  type Counted,
  type ModelSummary,
  countParameters,
  summarise,
} from "./summary.js";

/** The same thing of both models; null where one has none. */
export interface Change<T> {
  readonly before: T | null;
  readonly after: T | null;
}

export const figureNames = ["parameters", "activated", "flopsPerToken", "stateBytes"] as const;
export type Figures = Readonly<Record<(typeof figureNames)[number], number>>;

export interface BlockChange extends Change<Figures> {
  /** `blocks.{0–2, 4}` for all that change alike, by their places before; empty for what lies outside of the blocks. */
  readonly path: string;
}

export interface ShapeChange extends Change<string> {
  /** `blocks.{0–2}.mixer.q` */
  readonly path: string;
}

export interface RecurrenceChange extends Change<string> {
  readonly function: string;
  readonly state: string;
}

export interface Comparison {
  readonly before: string; // the models' names
  readonly after: string;
  /** The lengths of the sequences that are counted. */
  readonly tokens: readonly [number, number];
  readonly figures: { readonly before: Figures; readonly after: Figures };
  readonly blocks: readonly BlockChange[];
  readonly parameters: readonly ShapeChange[];
  readonly recurrences: readonly RecurrenceChange[];
  readonly equal: boolean;
}

export function compare(before: Model, after: Model, tokens: number): Comparison {
  const lengths = [timeOf(before, tokens), timeOf(after, tokens)] as const;
  const [a, b] = [summarise(before, lengths[0]), summarise(after, lengths[1])];
  const figures = { before: figuresOf(a), after: figuresOf(b) };
  const pairs = pairsOf(a, b);
  const blocks = blockChanges(pairs);
  const parameters = shapeChanges(before, after, pairs);
  const recurrences = recurrenceChanges(a, b);
  const equal =
    same(figures.before, figures.after) &&
    blocks.length + parameters.length + recurrences.length === 0;
  return {
    before: before.name,
    after: after.name,
    tokens: lengths,
    figures,
    blocks,
    parameters,
    recurrences,
    equal,
  };
}

const figuresOf = (of: Figures): Figures => ({
  parameters: of.parameters,
  activated: of.activated,
  flopsPerToken: Math.round(of.flopsPerToken),
  stateBytes: of.stateBytes,
});

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What differs between two tables, by key, in the order of the first and then of the second. */
function changes<T>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
): (Change<T> & { readonly key: string })[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((key) => ({ key, before: before.get(key) ?? null, after: after.get(key) ?? null }))
    .filter((change) => !same(change.before, change.after));
}

/** Blocks of both models, in order, with what lies outside of them. */
function pairsOf(a: ModelSummary, b: ModelSummary): Pair<BlockSummary>[] {
  return align(a.blocks, b.blocks, ({ path, layer }) => (path === "" ? "" : `block ${layer}`));
}

function blockChanges(pairs: readonly Pair<BlockSummary>[]): BlockChange[] {
  const found = pairs.map(({ before, after }) => ({
    key: (before ?? after)!.path,
    before: before && figuresOf(before),
    after: after && figuresOf(after),
  }));
  return together(found.filter((change) => !same(change.before, change.after)));
}

/** Parameters by their names in a block; a block that only one model has says enough by itself. */
function shapeChanges(
  before: Model,
  after: Model,
  pairs: readonly Pair<BlockSummary>[],
): ShapeChange[] {
  const [a, b] = [countParameters(before), countParameters(after)];
  const table = (of: readonly Counted[], path: string) =>
    new Map(
      of
        .filter(({ block }) => block === path)
        .map(({ names, axes }) => [names.join("."), shape(axes)]),
    );
  const found = pairs.flatMap(({ before: ours, after: theirs }) => {
    if (ours === null || theirs === null) return [];
    const own = changes(table(a, ours.path), table(b, theirs.path));
    return own.map(({ key, ...rest }) => ({
      key: ours.path === "" ? key : `${ours.path}.${key}`,
      ...rest,
    }));
  });
  return together(found);
}

/** Changes of several blocks that are alike are told once. */
function together<T>(
  found: readonly (Change<T> & { readonly key: string })[],
): (Change<T> & { readonly path: string })[] {
  const groups = new Map<string, { indices: number[]; of: Change<T>; parts: [string, string] }>();
  for (const { key, before, after } of found) {
    const [, stem, index, rest] = /^(.*?)(?:\.(\d+)(\..*)?)?$/s.exec(key)!;
    const like = JSON.stringify([stem, index === undefined, rest, before, after]);
    const group = groups.get(like) ?? {
      indices: [],
      of: { before, after },
      parts: [stem!, rest ?? ""],
    };
    if (index !== undefined) group.indices.push(Number(index));
    groups.set(like, group);
  }
  return [...groups.values()].map(({ indices, of, parts: [stem, rest] }) => ({
    path: indices.length === 0 ? stem + rest : `${stem}.${indexText(indices)}${rest}`,
    ...of,
  }));
}

/** `3`, or `{0–2, 4}` */
function indexText(indices: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const index of [...indices].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last && last[1] === index - 1) last[1] = index;
    else runs.push([index, index]);
  }
  const shown = runs.map(([from, to]) => (from === to ? String(from) : `${from}–${to}`));
  return indices.length === 1 ? shown[0]! : `{${shown.join(", ")}}`;
}

const shape = (axes: readonly Axis[]): string =>
  showAxes(axes.map(({ name, size }) => ({ name: name.replace(/₁$/, ""), size })));

function recurrenceChanges(a: ModelSummary, b: ModelSummary): RecurrenceChange[] {
  const table = ({ recurrences }: ModelSummary) =>
    new Map(
      recurrences.map(({ function: block, state, family, form }) => [
        `${block}\n${state}`,
        reportText({ family, form, reason: null }),
      ]),
    );
  return changes(table(a), table(b)).map(({ key, ...change }) => {
    const [block, state] = key.split("\n") as [string, string];
    return { function: block, state, ...change };
  });
}
