/**
 * A whole training step as one command buffer beside the same step op by op on tfjs-backend-webgpu, in one process
 * each, on the adapter that is here. Run by webgpu.mjs; arguments: the side, a model, steps to time.
 *
 *   recorded   runtime/tfjs/webgpu, as `lsm train --backend webgpu` runs it
 *   op-by-op   the same programs through the generic kernels on tfjs-backend-webgpu
 *
 * Prints one JSON line.
 */

import type * as TF from "@tensorflow/tfjs";
import { compileTraining } from "../../compiler/compile.js";
import { trainableFromPrograms } from "../../compiler/6-emit/tfjs/interpreted.js";
import type { Batch } from "../../runtime/data/batches.js";
import { RandomStream } from "../../runtime/random/stream.js";
import { provideNavigator } from "../../runtime/tfjs/backends/webgpu-dawn.node.js";
import { createGenericKernels } from "../../runtime/tfjs/generic/index.js";
import { type Backend, chooseBackend } from "../../runtime/tfjs/index.js";
import { freshState } from "../../runtime/tfjs/train/state.js";
import { type StepResult, trainStep } from "../../runtime/tfjs/train/step.js";
import type { GpuRecorder } from "../../runtime/tfjs/webgpu/record/recorder.js";
import type { Prepared, Replay } from "../../runtime/tfjs/webgpu/record/tape.js";
import { benchModels } from "./webgpu-models.js";
import { modelOf } from "../support/models/instance.js";

const [side, name, count] = process.argv.slice(2) as [string, string, string];
const { source, batch, time } = benchModels[name]!;
const model = modelOf(source);
const settings = {
  optimizer: { lr: 3e-3, betas: [0.9, 0.95], epsilon: 1e-8, decay: 0.1 },
  schedule: { kind: "constant", warmup: 0 },
  steps: 1000,
  clip: 1,
} as const;

async function opByOp(): Promise<Backend> {
  if (!(await provideNavigator())) throw new Error("the package webgpu is not installed");
  const loaded = (await import("@tensorflow/tfjs")) as typeof TF & { default?: typeof TF };
  const tf = loaded.default ?? loaded;
  tf.enableProdMode();
  await import("@tensorflow/tfjs-backend-webgpu");
  if (!(await tf.setBackend("webgpu"))) throw new Error("tfjs could not start WebGPU");
  await tf.ready();
  return { tf, name: "webgpu", kernels: createGenericKernels(tf), why: "op by op" };
}

const backend = side === "recorded" ? await chooseBackend("webgpu") : await opByOp();
const stages = compileTraining(model, { batch, time });
const trainable = trainableFromPrograms({
  ...stages,
  name: model.name,
  vocabulary: model.vocabulary!,
  batch,
  time,
});
const random = new RandomStream(1, "bench");
const ids = (): Int32Array =>
  Int32Array.from({ length: batch * time }, () => random.integer(model.vocabulary!));
const data: Batch = {
  kind: "tokens",
  rows: batch,
  seq: time,
  tokens: ids(),
  targets: ids(),
  weights: null,
  documents: new Int32Array(batch * time),
  position: 0,
};
const state = freshState(backend.tf, trainable.parameters, 1);
let made = 0;
const step = (): Promise<StepResult> =>
  trainStep(backend, trainable, settings, state, data, made++);

const began = performance.now();
const losses = [(await step()).loss];
const first = performance.now() - began;
// As training does it: a recorded step is prepared while the one before runs. So only all steps together tell.
const started = performance.now();
let pending: Promise<StepResult> | null = null;
for (let i = 0; i < Number(count); i += 1) {
  const next = step();
  if (state.recorded) {
    if (pending) losses.push((await pending).loss);
    pending = next;
  } else losses.push((await next).loss);
}
if (pending) losses.push((await pending).loss);
const mean = (performance.now() - started) / Number(count);
const size = (axes: readonly { readonly size: number }[]): number =>
  axes.reduce((product, axis) => product * axis.size, 1);
const line = {
  side,
  model: name,
  adapter: backend.why,
  parameters: trainable.parameters.reduce((sum, { axes }) => sum + size(axes), 0),
  tokens: batch * time,
  first: Math.round(first),
  ms: mean,
  losses: losses.slice(0, 3),
  replay: await replayOf(),
};
process.stdout.write(`${JSON.stringify(line)}\n`);
process.exit(0); // Dawn keeps a process alive

/** How many kernels a recorded step has, its memory, and, asked for, each kernel's time. */
async function replayOf(): Promise<unknown> {
  const recorded = state.recorded as unknown as
    { readonly recording: { readonly replay: Replay } } | undefined;
  if (!recorded) return null;
  const { launches, memory } = recorded.recording.replay;
  const profile = process.argv[5] === "profile" ? await profileOf(launches) : null;
  return { kernels: launches.length, ...memory, profile };
}

/** Each kernel's time by itself, in ms: twenty more runs of it than one take so much longer. */
async function profileOf(launches: readonly Prepared[]): Promise<Record<string, number[]>> {
  const { device } = (backend.recorder as GpuRecorder).kernels.gpu;
  const time = async (one: Prepared, count: number): Promise<number> => {
    const started = performance.now();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(one.pipeline);
    pass.setBindGroup(0, one.group);
    for (let i = 0; i < count; i += 1) pass.dispatchWorkgroups(one.x, one.y);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return performance.now() - started;
  };
  const more = 20;
  const found: Record<string, number[]> = {};
  for (const one of launches) {
    const waiting = await time(one, 1);
    const ms = Math.max(0, (await time(one, more + 1)) - waiting) / more;
    (found[one.name] ??= []).push(Number(ms.toFixed(4)));
  }
  return found;
}
