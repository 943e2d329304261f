/**
 * Phase 2: token graphs to graphs over batches of sequences.
 *
 * Every token value gains `batch` and `time`; recurrences become `scan` nodes, routes become sorted slots.
 * A function's inputs are its own (`x`, or the model's tokens) and `positions` [batch, time]: each
 * token's position in its document, which is all that resets states, convolutions and attention.
 */

import { GraphBuilder } from "../ir/builder.js";
import { type Graph, type Module, type Node, type ValueId, allResults } from "../ir/graph.js";
import { type Axis, type TensorType, InternalFault } from "../ir/types.js";
import { reducedAngles } from "./angles.js";
import { chunkStarts } from "./chunk-start.js";
import { type Lowering, type SequenceContext, outside } from "./context.js";
import { lagsAsStates } from "./lags.js";
import { withoutUnused } from "./live.js";
import { lowerMix, lowerNode } from "./nodes.js";
import { mixesOf } from "./regions.js";
import { type Recurrence, findRecurrences } from "./recurrences.js";
import { enterRoute, openRoute } from "./route.js";
import { lowerRecurrence } from "./scan.js";

export interface Sizes {
  readonly batch: number;
  readonly time: number;
  /** Whether a row may hold several documents, which may begin anywhere in it; it may where nothing is said. */
  readonly packed?: boolean;
  /** Whether the model's measurements of itself are wanted, such as the loads of its routes; not where nothing is said. */
  readonly metrics?: boolean;
}

/** Lowers every function of a module for batches of the given sizes. */
export function lower(module: Module, sizes: Sizes): Module {
  const functions = new Map<string, Graph>();
  for (const [name, graph] of module.functions)
    functions.set(name, lowerGraph(graph, sizes, functions));
  return { main: module.main, functions };
}

function lowerGraph(token: Graph, sizes: Sizes, callees: ReadonlyMap<string, Graph>): Graph {
  const wanted = sizes.metrics ? token : { ...token, metrics: [] };
  const source = lagsAsStates(reducedAngles(withoutUnused(chunkStarts(wanted))));
  const batch: Axis = { name: "batch", size: sizes.batch };
  const time: Axis = { name: "time", size: sizes.time };
  const builder = new GraphBuilder(source.name);
  const producer = new Map<ValueId, Node>();
  for (const node of source.nodes) for (const id of node.outputs) producer.set(id, node);
  const lowering: Lowering = {
    source,
    builder,
    batch,
    time,
    callees,
    producer,
    consumers: consumersOf(source),
    mixes: mixesOf(source),
    parameterRegions: new Map(
      source.parameters.map(({ value, region }) => [value, region ?? outside]),
    ),
    values: new Map(),
    sequences: new Map(),
  };
  const along = (type: TensorType): TensorType => ({
    dtype: type.dtype,
    axes: [batch, time, ...plain(type.axes)],
  });
  for (const { name, value } of source.inputs)
    remember(lowering, value, builder.input(name, along(source.values[value]!.type)));
  for (const node of source.nodes)
    if (
      node.op === "source" &&
      !builder.inputs.some(({ name }) => name === node.attributes.source)
    ) {
      const { dtype, axes } = source.values[node.outputs[0]!]!.type;
      const around = node.attributes.along === "tokens" ? [batch, time] : [batch];
      builder.input(node.attributes.source, { dtype, axes: [...around, ...plain(axes)] });
    }
  const positions = builder.input("positions", along({ dtype: "float", axes: [] }));
  lowering.sequences.set(outside, { axis: time, positions, route: null });
  for (const { path, value, initializer, trainable, decay, region } of source.parameters) {
    const own = plain(source.values[value]!.type.axes);
    const experts = region === null ? [] : plain([lowering.mixes.get(region)!.attributes.experts]);
    const id = builder.parameter(
      path,
      { dtype: "float", axes: [...experts, ...own] },
      initializer,
      trainable,
      decay,
    );
    remember(lowering, value, id, region ?? outside);
  }
  const recurrenceOf = new Map<ValueId, Recurrence>();
  for (const recurrence of findRecurrences(source))
    for (const node of recurrence.nodes)
      for (const id of node.outputs) recurrenceOf.set(id, recurrence);
  demand(lowering, recurrenceOf);
  return builder.finish();
}

/** Who reads each value; null stands for the results of the function. */
function consumersOf(graph: Graph): ReadonlyMap<ValueId, readonly (Node | null)[]> {
  const consumers = new Map<ValueId, (Node | null)[]>();
  const use = (id: ValueId, by: Node | null): void => {
    const known = consumers.get(id);
    if (known) known.push(by);
    else consumers.set(id, [by]);
  };
  for (const node of graph.nodes) for (const id of node.inputs) use(id, node);
  for (const { value } of allResults(graph)) use(value, null);
  return consumers;
}

const plain = (axes: readonly Axis[]): Axis[] => axes.map(({ name, size }) => ({ name, size }));

function remember(
  lowering: Lowering,
  id: ValueId,
  lowered: ValueId,
  region: number = outside,
): void {
  lowering.values.set(`${region} ${id}`, lowered);
  const name = lowering.source.values[id]!.name;
  if (name !== null) lowering.builder.label(lowered, name);
}

/** Lowers all that the outputs need, inputs before users, then names the outputs. */
function demand(lowering: Lowering, recurrenceOf: ReadonlyMap<ValueId, Recurrence>): void {
  const { source, builder } = lowering;
  const get = (id: ValueId, region: number | null = null): ValueId => {
    settle(lowering, recurrenceOf, id, region ?? outside);
    return lowering.values.get(`${region ?? outside} ${id}`)!;
  };
  for (const { name, value } of source.penalties) {
    const id = get(value);
    builder.penalty(name, id);
  }
  for (const { path, value } of source.updates) builder.updates.push({ path, value: get(value) });
  for (const { name, value } of source.metrics) builder.metric(name, get(value));
  if (source.inputs.length > 0) {
    for (const { name, value } of source.outputs) {
      const { axes } = source.values[value]!.type;
      builder.outputs.push({
        name,
        value: builder.conform(get(value), [lowering.batch, lowering.time, ...plain(axes)]),
      });
    }
    return;
  }
  builder.origin = null;
  modelOutputs(lowering, get);
}

/**
 * The model's own outputs: its prediction, the mean loss of what is weighted, and that with penalties. Tokens are
 * weighted one by one; of a model that reads windows, the windows are.
 */
function modelOutputs(lowering: Lowering, get: (id: ValueId) => ValueId): void {
  const { source, builder, batch, time } = lowering;
  const windows = source.nodes.some(
    (node) => node.op === "source" && node.attributes.along === "window",
  );
  const around = windows ? [batch] : [batch, time];
  const names = around.map(({ name }) => name);
  const port = (name: string): ValueId =>
    source.outputs.find((output) => output.name === name)!.value;
  const output = port("prediction");
  const own = plain(source.values[output]!.type.axes);
  const prediction = builder.conform(get(output), [...around, ...own]);
  const loss = builder.conform(get(port("loss")), around);
  const weights = builder.input("weights", { dtype: "float", axes: around });
  const total = builder.map("maximum", builder.sum(weights, names), builder.constant(1));
  const mean = builder.div(builder.sum(builder.mul(loss, weights), names), total);
  const objective = builder.penalties.map(({ value }) => value).reduce(builder.add, mean);
  builder.outputs.push(
    { name: "prediction", value: prediction },
    { name: "loss", value: mean },
    { name: "objective", value: objective },
  );
}

interface Task {
  readonly id: ValueId;
  readonly region: number; // where the value is wanted
}

/** Makes sure a value is lowered for a region; a work list stands for recursion, which could run deep. */
function settle(
  lowering: Lowering,
  recurrenceOf: ReadonlyMap<ValueId, Recurrence>,
  id: ValueId,
  region: number,
): void {
  const work: Task[] = [{ id, region }];
  let turns = 0;
  while (work.length > 0) {
    const task = work[work.length - 1]!;
    if (lowering.values.has(`${task.region} ${task.id}`)) {
      work.pop();
      continue;
    }
    if ((turns += 1) > 1_000_000) throw new InternalFault("a value needs itself");
    const missing = attempt(lowering, recurrenceOf, task).filter(
      (need) => !lowering.values.has(`${need.region} ${need.id}`),
    );
    if (missing.length === 0) work.pop();
    else work.push(...missing);
  }
}

/** Lowers a task whose needs are met (and gives none), or gives its needs. */
function attempt(
  lowering: Lowering,
  recurrenceOf: ReadonlyMap<ValueId, Recurrence>,
  { id, region }: Task,
): readonly Task[] {
  const node = lowering.producer.get(id);
  const home = homeOf(lowering, id);
  const value = (need: Task): ValueId => lowering.values.get(`${need.region} ${need.id}`)!;
  const met = (needs: readonly Task[]): boolean =>
    needs.every((need) => lowering.values.has(`${need.region} ${need.id}`));
  if (region !== home) {
    // a value from outside the region it is wanted in
    const need = { id, region: home };
    if (!met([need])) return [need];
    const closed = openRegion(lowering, region);
    if (closed.length > 0) return closed;
    const sequence = lowering.sequences.get(region)!;
    lowering.builder.origin = lowering.mixes.get(region)?.outputs[0] ?? id;
    remember(lowering, id, enterRoute(lowering, sequence, value(need)), region);
    return [];
  }
  if (!node) throw new InternalFault(`value ${id} has no producer`);
  const closed = openRegion(lowering, home);
  if (closed.length > 0) return closed;
  const recurrence = recurrenceOf.get(id);
  if (recurrence) return attemptRecurrence(lowering, recurrence, home);
  if (node.op === "mix") {
    const body = { id: node.inputs[0]!, region: node.attributes.region };
    const routes = openRegion(lowering, body.region);
    if (routes.length > 0) return routes;
    if (!met([body])) return [body];
    const sequence = lowering.sequences.get(body.region)!;
    lowering.builder.origin = id;
    remember(lowering, id, lowerMix(lowering, value(body), sequence), outside);
    return [];
  }
  const needs = node.inputs.map((input) => ({ id: input, region: home }));
  if (!met(needs)) return needs;
  lowering.builder.span = lowering.source.values[id]!.span;
  lowering.builder.origin = id;
  const sequence = lowering.sequences.get(home)!;
  const outputs = lowerNode(lowering, node, needs.map(value), sequence);
  node.outputs.forEach((output, i) => remember(lowering, output, outputs[i]!, home));
  return [];
}

/** Sets up the sequence of a region when the first value in it is wanted; gives what is needed for that. */
function openRegion(lowering: Lowering, region: number): readonly Task[] {
  if (lowering.sequences.has(region)) return [];
  const mix = lowering.mixes.get(region)!;
  const needs = mix.inputs.slice(1).map((id) => ({ id, region: outside }));
  const [weights, choices] = needs.map(({ id }) => lowering.values.get(`${outside} ${id}`));
  if (weights === undefined || choices === undefined) return needs;
  lowering.builder.origin = mix.outputs[0]!;
  openRoute(lowering, mix, weights, choices);
  return [];
}

/** The region a value is made in; parameters and inputs know theirs. */
function homeOf(lowering: Lowering, id: ValueId): number {
  const node = lowering.producer.get(id);
  if (node) return node.region ?? outside;
  return lowering.parameterRegions.get(id) ?? outside;
}

function attemptRecurrence(
  lowering: Lowering,
  recurrence: Recurrence,
  region: number,
): readonly Task[] {
  const { source } = lowering;
  const inside = new Set(recurrence.nodes.flatMap((node) => node.outputs));
  const needs = [...new Set(recurrence.nodes.flatMap((node) => node.inputs))]
    .filter((input) => !inside.has(input))
    .map((input) => ({ id: input, region }));
  const value = (need: Task): ValueId | undefined =>
    lowering.values.get(`${need.region} ${need.id}`);
  if (needs.some((need) => value(need) === undefined)) return needs;
  const members = new Set<Node | null>(recurrence.nodes);
  const wanted = [...inside].filter((id) =>
    lowering.consumers.get(id)?.some((consumer) => !members.has(consumer)),
  );
  const sequence: SequenceContext = lowering.sequences.get(region)!;
  lowering.builder.span = source.states[recurrence.states[0]!]!.span;
  lowering.builder.origin = recurrence.news[0]!;
  const lowered = lowerRecurrence(
    lowering,
    recurrence,
    wanted,
    (id) => value({ id, region })!,
    sequence,
  );
  for (const [id, result] of lowered) remember(lowering, id, result, region);
  return [];
}
