/**
 * What holds for every text: the checker answers soon and with sound diagnostics, and a model without
 * mistakes can be lowered, derived, scheduled and run, with the same values in every form.
 */

import { check } from "../../../compiler/compile.js";
import { compileDecoding, compileTraining } from "../../../compiler/compile.js";
import { type Model, timeOf } from "../../../compiler/1-check/model.js";
import { lower } from "../../../compiler/2-lower/lower.js";
import { recurrentForm } from "../../../compiler/3-derive/decode/recurrent-form.js";
import { catalogue } from "../../../compiler/diagnostics/catalogue.generated.js";
import type { Diagnostic } from "../../../compiler/diagnostics/diagnostic.js";
import { renderDiagnostics } from "../../../compiler/diagnostics/render/render.js";
import { type Host, HostError } from "../../../compiler/host.js";
import type { Graph } from "../../../compiler/ir/graph.js";
import { elementCount } from "../../../compiler/ir/types.js";
import { interpret } from "../../../runtime/interpret/interpret.js";
import { type Tensor, tensor } from "../../../runtime/interpret/tensor.js";
import { RandomStream } from "../../../runtime/random/stream.js";
import { type Batch, randomBatch, randomParameters, relativeError } from "../models/instance.js";
import { library } from "./programs.js";

/** Longest a check may take, in milliseconds of the processor: others may be busy on this machine. */
const patience = 2000;
/** Models whose tensors have more elements in all are checked, not run. */
const largest = 100_000;

/** What happened to a text that kept every promise. */
export interface Outcome {
  readonly codes: readonly string[]; // of mistakes, not of warnings
  readonly run: number; // models that were run
  readonly compared: number; // of them, with values small enough to compare forms
}

/** A host with the one text, which may also use itself. */
export function hostOf(text: string): Host {
  return {
    readText: (path: string) => {
      if (path === "fuzz.lsm" || path === "self.lsm") return text;
      throw new HostError("missing", "read", path);
    },
    library: () => library,
    resolve: (_: string, path: string) => path,
    exists: () => false,
    list: () => [],
    writeText: () => undefined,
    writeBytes: () => undefined,
  };
}

/** Throws an Error that says what does not hold. */
export function hold(text: string): Outcome {
  const start = process.cpuUsage();
  const { models, diagnostics, sources } = check(hostOf(text), "fuzz.lsm");
  const { user, system } = process.cpuUsage(start);
  const took = (user + system) / 1000;
  if (took > patience) throw new Error(`the check took ${took.toFixed(0)} ms`);
  for (const diagnostic of diagnostics) sound(diagnostic, sources);
  renderDiagnostics(diagnostics, { source: (path) => sources.get(path) ?? text });
  let [run, compared] = [0, 0];
  for (const model of models.values()) {
    if (weight(model) > largest) continue;
    run += 1;
    if (model.window !== null) {
      compileTraining(model, { batch: 2, time: timeOf(model, 0) }); // windows are run in test/conformance
      continue;
    }
    compared += Number(runs(model, !/over_tokens/.test(text), !dividesByState.test(text)));
  }
  const codes = diagnostics.flatMap(({ severity, code }) => (severity === "error" ? [code] : []));
  return { codes, run, compared };
}

function sound(
  { code, title, help, labels }: Diagnostic,
  sources: ReadonlyMap<string, string>,
): void {
  if (!Object.hasOwn(catalogue, code)) throw new Error(`${code} is not in the catalogue`);
  for (const words of [title, help ?? "", ...labels.map((label) => label.text)])
    if (/undefined|\[object|\bnull\b/.test(words)) throw new Error(`${code} says “${words}”`);
  for (const { span } of labels) {
    const { length } = sources.get(span.source) ?? { length: Infinity };
    if (!(0 <= span.start && span.start <= span.end && span.end <= length))
      throw new Error(`${code} points outside ${span.source}`);
  }
}

/** A state begins at 0, and what is divided by 0 depends on the sign of that 0, which forms need not keep. */
const dividesByState = /\/\s*\(*S/;

/** Elements of all values of a model, each block as often as it is called. */
function weight({ module }: Model): number {
  const known = new Map<string, number>();
  const of = (graph: Graph): number => {
    let sum = graph.values.reduce((total, { type }) => total + elementCount(type), 0);
    for (const node of graph.nodes)
      if (node.op === "call") sum += known.get(node.attributes.callee)!;
    return sum;
  };
  for (const [name, graph] of module.functions) known.set(name, of(graph));
  return known.get(module.main)!;
}

/**
 * Compiles and runs a model in every form; true when their values could be compared. A mean over the whole
 * batch is not known token by token, so a model with one is not `causal`. What divides by a state is not `steady`.
 */
function runs(model: Model, causal: boolean, steady: boolean): boolean {
  const [batch, time] = [2, 3];
  const random = new RandomStream(5, "fuzz");
  const parameters = randomParameters(model, random);
  const vocabulary = model.vocabulary ?? 2;
  const { inputs } = randomBatch(Math.min(vocabulary, 1000), batch, time, random);
  const stages = compileTraining(model, { batch, time });
  const expected = interpret(stages.lowered, "main", inputs, parameters).outputs;
  const formed = interpret(stages.formed, "main", inputs, parameters);
  const trained = interpret(stages.differentiated, "main", inputs, parameters).outputs;
  for (const [name, { data }] of [...expected, ...trained])
    if (data.some((value) => typeof value !== "number")) throw new Error(`${name} has holes`);
  for (const { path, type, trainable } of stages.parameters) {
    const gradient = trained.get(`grad.${path}`);
    if (trainable && gradient?.data.length !== elementCount(type))
      throw new Error(`the gradient of ${path} is missing or misshapen`);
  }
  const prediction = expected.get("prediction")!.data;
  const comparable = steady && tame(prediction) && tame(expected.get("objective")!.data);
  if (comparable)
    for (const [name, { data }] of expected)
      same(`${name} in chunk form`, formed.outputs.get(name)!.data, data);
  const decoded = decode(model, { batch: 1, time, inputs: firstRow(inputs, time) }, parameters);
  if (comparable && causal) same("decoding", decoded, prediction.slice(0, decoded.length));
  return comparable;
}

/** Values that rounding does not reach: finite, and not the outcome of something huge. */
const tame = (data: Float64Array): boolean => data.every((value) => Math.abs(value) < 1e6);

function same(what: string, found: ArrayLike<number>, expected: ArrayLike<number>): void {
  const error = relativeError(found, expected);
  if (!(error < 1e-5)) throw new Error(`${what} differs by ${error}`);
}

const firstRow = (inputs: ReadonlyMap<string, Tensor>, time: number): Map<string, Tensor> =>
  new Map([...inputs].map(([name, { data }]) => [name, tensor(row(time), data.slice(0, time))]));

const row = (time: number) => [
  { name: "batch", size: 1 },
  { name: "time", size: time },
];

/** The predictions of a sequence, token by token. */
export function decode(
  model: Model,
  { time, inputs }: Batch,
  parameters: ReadonlyMap<string, Tensor>,
): number[] {
  compileDecoding(model, time);
  const { module, carried } = recurrentForm(lower(model.module, { batch: 1, time: 1 }), time);
  let states = new Map(
    carried.map(({ name, axes, initial }) => [name, tensor(axes, tensor(axes).data.fill(initial))]),
  );
  const predictions: number[] = [];
  for (let t = 0; t < time; t += 1) {
    const now = [...inputs].map(
      ([name, x]) => [name, tensor(row(1), x.data.slice(t, t + 1))] as const,
    );
    const { outputs } = interpret(module, "main", new Map([...now, ...states]), parameters);
    predictions.push(...outputs.get("prediction")!.data);
    states = new Map(carried.map(({ name }) => [name, outputs.get(name)!]));
  }
  return predictions;
}
