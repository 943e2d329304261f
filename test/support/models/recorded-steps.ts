/** Three whole training steps by a backend, recorded where it records, against the program's definition. */

import type { Model } from "../../../compiler/1-check/model.js";
import type { Sizes } from "../../../compiler/2-lower/lower.js";
import { trainableFromPrograms } from "../../../compiler/6-emit/tfjs/interpreted.js";
import { compileTraining } from "../../../compiler/compile.js";
import type { Batch } from "../../../runtime/data/batches.js";
import { interpretProgram } from "../../../runtime/interpret/program.js";
import { type Tensor, tensor } from "../../../runtime/interpret/tensor.js";
import type { RandomStream } from "../../../runtime/random/stream.js";
import type { Backend } from "../../../runtime/tfjs/index.js";
import { type TrainState, freeState } from "../../../runtime/tfjs/train/state.js";
import { trainStep } from "../../../runtime/tfjs/train/step.js";
import { batchFor, worst } from "./instance.js";

/** ε is large, so that where a gradient is zero but for rounding AdamW does not make a whole step of it. */
const optimizer = { beta1: 0.9, beta2: 0.95, epsilon: 1e-3, decay: 0.1, clip: 0.05 };
const settings = {
  optimizer: { lr: 0.01, betas: [0.9, 0.95], epsilon: optimizer.epsilon, decay: 0.1 },
  schedule: { kind: "constant", warmup: 0 },
  steps: 3,
  clip: optimizer.clip,
} as const;
/**
 * Five iterations make a singular value that is hardly there 3.4⁵ = 480 times as large, and with it the rounding of the gradients of
 * these tiny batches; two, 12 times. The kernel's own cases iterate five times, on matrices of full rank.
 */
const muon = { momentum: 0.95, iterations: 2 };

export interface StepErrors {
  /** The largest relative error of the moments, which are sums of gradients, and of what Muon made, behind the last step; whose it is. */
  readonly gradients: number;
  readonly worst: string;
  /** The largest relative error of a loss or a norm. */
  readonly steps: number;
}

export async function recordedSteps(
  backend: Backend,
  model: Model,
  sizes: Sizes,
  start: ReadonlyMap<string, Tensor>,
  random: RandomStream,
  by: "adamw" | "muon" = "adamw",
): Promise<StepErrors> {
  const { tf } = backend;
  const byMuon = by === "muon" ? muon : null;
  const stages = compileTraining(model, sizes, undefined, { ...optimizer, muon: byMuon });
  const trainable = trainableFromPrograms({
    ...stages,
    name: model.name,
    vocabulary: model.vocabulary ?? 0,
    ...sizes,
  });
  const upload = ({ axes, data }: Tensor) =>
    tf.tensor(
      Float32Array.from(data),
      axes.map(({ size }) => size),
    );
  const own = { ...settings.optimizer, ...(byMuon && { muon: byMuon }) };
  const state: TrainState = { weights: {}, m: {}, v: {}, momentum: {} };
  const parameters = new Map<string, Tensor>();
  const moments = new Map<string, readonly Tensor[]>();
  for (const { path, trainable: trained, matrix } of stages.parameters) {
    const value = start.get(path)!;
    parameters.set(path, tensor(value.axes, value.data.slice()));
    state.weights[path] = upload(value);
    if (!trained) continue;
    const slots = matrix && byMuon ? [state.momentum] : [state.m, state.v];
    moments.set(
      path,
      slots.map(() => tensor(value.axes)),
    );
    for (const slot of slots) slot[path] = upload(tensor(value.axes));
  }
  let losses = 0;
  for (let step = 0; step < 3; step += 1) {
    const documents = sizes.packed ? 0.2 : 0;
    const { inputs } = batchFor(model, sizes.batch, sizes.time, random, documents);
    const made = await trainStep(
      backend,
      trainable,
      { ...settings, optimizer: own },
      state,
      asBatch(inputs),
      step,
    );
    const { outputs, updates, metrics } = interpretProgram(stages.step, inputs, parameters, {
      parameters,
      moments,
      rate: 0.01,
      step: step + 1,
    });
    for (const [path, value] of updates) parameters.set(path, value);
    for (const [is, name] of [
      [made.loss, "loss"],
      [made.gradientNorm, "grad_norm"],
    ] as const) {
      const wanted = outputs.get(name)!.data[0]!;
      losses = Math.max(losses, Math.abs(is - wanted) / Math.max(Math.abs(wanted), 1e-3));
    }
    const measured = new Map(Object.entries(made.metrics).map(([path, data]) => [path, { data }]));
    if (measured.size !== metrics.size) throw new Error(`${measured.size} metrics`);
    losses = Math.max(losses, worst(measured, metrics).error);
  }
  const actual = new Map<string, { data: ArrayLike<number> }>();
  const expected = new Map<string, Tensor>();
  for (const [path, [m, v]] of moments) {
    if (!v) {
      actual.set(`momentum.${path}`, { data: await state.momentum[path]!.data() });
      expected.set(`momentum.${path}`, m!);
      actual.set(path, { data: await state.weights[path]!.data() });
      expected.set(path, parameters.get(path)!);
      continue;
    }
    actual.set(`m.${path}`, { data: await state.m[path]!.data() });
    expected.set(`m.${path}`, m!);
    // v is of squares: its root is as exact as the gradients are
    actual.set(`√v.${path}`, { data: (await state.v[path]!.data<"float32">()).map(Math.sqrt) });
    expected.set(`√v.${path}`, tensor(v.axes, v.data.map(Math.sqrt)));
  }
  for (const { path, trainable: trained } of stages.parameters) {
    if (trained) continue;
    actual.set(path, { data: await state.weights[path]!.data() });
    expected.set(path, parameters.get(path)!);
  }
  freeState(state);
  const { error, name } = worst(actual, expected, 1e-4);
  return { gradients: error, worst: name, steps: losses };
}

/** The tensors of a batch as a data set would give them: documents are counted, and not positions. */
function asBatch(inputs: ReadonlyMap<string, Tensor>): Batch {
  if (inputs.has("series")) return asWindows(inputs);
  const [rows, seq] = inputs.get("tokens")!.axes.map(({ size }) => size) as [number, number];
  const whole = (name: string) => Int32Array.from(inputs.get(name)!.data);
  const positions = inputs.get("positions")!.data;
  const documents = new Int32Array(rows * seq);
  for (let i = 1; i < documents.length; i += 1)
    documents[i] = i % seq === 0 ? 0 : documents[i - 1]! + Number(positions[i] === 0);
  return {
    kind: "tokens",
    rows,
    seq,
    tokens: whole("tokens"),
    targets: whole("targets"),
    weights: Float32Array.from(inputs.get("weights")!.data),
    documents,
    position: 0,
  };
}

function asWindows(inputs: ReadonlyMap<string, Tensor>): Batch {
  const values = (name: string) => Float32Array.from(inputs.get(name)!.data);
  const shape = (name: string) => inputs.get(name)!.axes.map(({ size }) => size);
  const [rows, seq] = shape("positions") as [number, number];
  return {
    kind: "windows",
    rows,
    seq,
    series: values("series"),
    future: values("future"),
    weights: values("weights"),
    shapes: { series: shape("series").slice(1), future: shape("future").slice(1) },
    position: 0,
  };
}
