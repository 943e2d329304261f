/** Training runs on the default backend: they learn, go on exactly, leak nothing, and stop when they diverge. */

import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BatchStream } from "../runtime/data/batches.js";
import { openData } from "../runtime/data/open.node.js";
import { runFiles } from "../runtime/run/folder.node.js";
import type { MetricRecord } from "../runtime/run/metrics.js";
import { readMetrics } from "../runtime/run/metrics.node.js";
import { chooseBackend } from "../runtime/tfjs/backend.js";
import { openRun } from "../runtime/tfjs/train/open-run.node.js";
import { type RunOptions, runTraining } from "../runtime/tfjs/train/run.node.js";
import type { TrainSettings } from "../runtime/tfjs/train/settings.js";
import { batchGradients } from "../runtime/tfjs/train/gradients.js";
import { readBack } from "../runtime/tfjs/train/optimise.js";
import { freeState, freeTensors, freshState } from "../runtime/tfjs/train/state.js";
import { trainStep } from "../runtime/tfjs/train/step.js";
import type { Trainable } from "../runtime/tfjs/train/trainable.js";
import {
  plainSource,
  tinyData,
  tinySettings,
  tinySource,
  tinyTrainable,
} from "./support/tiny-model.js";

let base: string;
let trainable: Trainable;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "lsm-train-"));
  trainable = tinyTrainable();
});
afterAll(() => rm(base, { recursive: true }));

const silent: RunOptions = {
  source: tinySource,
  base: import.meta.dirname,
  backend: "wasm",
  say: () => undefined,
  progress: { write: () => undefined },
};

async function train(
  folder: string,
  settings: Partial<TrainSettings>,
  resume: string | null = null,
  options: RunOptions = {},
) {
  const run = await openRun({ name: "tiny", out: join(base, folder), resume });
  return runTraining(trainable, { ...tinySettings, ...settings }, { ...silent, ...options, run });
}

/** What a run says of its steps, but for how long they took. */
const steps = async (folder: string) =>
  (await readMetrics(runFiles(join(base, folder)).metrics))
    .filter((record) => "loss" in record)
    .map(({ step, loss, lr, grad_norm }: MetricRecord) => ({ step, loss, lr, grad_norm }));

const finalBytes = (folder: string) =>
  readFile(join(runFiles(join(base, folder)).checkpoints, "final.safetensors"));

test("a run learns, and leaves a folder that explains itself", async () => {
  const { heldOut, baselines, checkpoint, step } = await train("learns", {
    steps: 60,
    evaluateEvery: 20,
    checkpointEvery: 25,
  });
  expect(step).toBe(60);
  expect(heldOut!.loss).toBeLessThan(4.3);
  expect(baselines!.bigram).toBeGreaterThan(2);
  const files = runFiles(join(base, "learns"));
  expect(await readFile(files.source, "utf8")).toBe(tinySource);
  expect(JSON.parse(await readFile(files.config, "utf8"))).toMatchObject({ model: "Tiny" });
  expect(await readFile(files.loss, "utf8")).toContain("bigram model");
  expect((await readdir(files.checkpoints)).sort()).toEqual([
    "final.safetensors",
    "step-00000025.safetensors",
    "step-00000050.safetensors",
  ]);
  expect(checkpoint).toBe(join(files.checkpoints, "final.safetensors"));
  const records = await readMetrics(files.metrics);
  expect(records.filter((record) => "eval_loss" in record).map(({ step }) => step)).toEqual([
    20, 40, 60,
  ]);
  expect(Object.keys(records[0]!)).toEqual([
    "step",
    "loss",
    "lr",
    "grad_norm",
    "tokens_per_second",
    "router_max_load",
    "router_entropy",
    "loads",
  ]);
  const { loads } = records[0]!;
  expect(Object.keys(loads!)).toEqual(["blocks.0.ffn.r"]);
  expect(loads!["blocks.0.ffn.r"]!.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 3);
});

test("a resumed run makes the very steps of an uninterrupted one, twice in a row", async () => {
  await train("whole", {});
  await train("broken", { checkpointEvery: 4 });
  expect(await steps("broken")).toEqual(await steps("whole"));
  const files = runFiles(join(base, "broken"));
  for (const from of ["step-00000004.safetensors", "step-00000008.safetensors"]) {
    await rm(join(files.checkpoints, "final.safetensors"));
    await train("broken", {}, join(files.checkpoints, from));
    expect(await steps("broken")).toEqual(await steps("whole"));
    expect((await finalBytes("broken")).equals(await finalBytes("whole"))).toBe(true);
  }
});

test("the number of tensors stays the same from step to step", async () => {
  const backend = await chooseBackend("wasm");
  const { tf } = backend;
  const before = tf.memory().numTensors;
  const data = await openData(tinyData, import.meta.dirname, 1);
  const batches = new BatchStream(data.train, trainable.batch);
  const state = freshState(tf, trainable.parameters, 1);
  const counts: number[] = [];
  for (let step = 0; step < 4; step++) {
    await trainStep(backend, trainable, tinySettings, state, batches.next(), step);
    counts.push(tf.memory().numTensors);
  }
  expect(new Set(counts).size).toBe(1);
  freeState(state);
  expect(tf.memory().numTensors).toBe(before);
});

test("gradients in parts are those of the whole batch", async () => {
  const backend = await chooseBackend("wasm");
  const { tf, kernels } = backend;
  const whole = tinyTrainable(plainSource, { batch: 4, time: 32 });
  const data = await openData(tinyData, import.meta.dirname, 1);
  const batch = new BatchStream(data.train, 4).next();
  const state = freshState(tf, whole.parameters, 1);
  const before = tf.memory().numTensors;
  const halves = tinyTrainable(plainSource, { batch: 2, time: 32 });
  const read = async (part: Trainable) => {
    const result = batchGradients(backend, part, state.weights, batch);
    const { scalars, squares } = await readBack(kernels, [result.loss], result.gradients, {});
    [result.loss, result.objective].forEach((tensor) => void tensor.dispose());
    freeTensors(result.gradients);
    freeTensors(result.updates);
    return [...scalars, ...squares.values()];
  };
  const [a, b] = [await read(whole), await read(halves)];
  expect(Math.max(...a.map((x, i) => Math.abs(x - b[i]!) / Math.abs(x)))).toBeLessThan(1e-4);
  expect(tf.memory().numTensors).toBe(before);
  freeState(state);
});

test("a run that diverges stops, names the step and the place, and keeps its last checkpoint", async () => {
  const { optimizer } = tinySettings;
  await train("diverges", { steps: 2, checkpointEvery: 2 });
  const kept = await finalBytes("diverges");
  await expect(
    train("diverges", { steps: 9, clip: null, optimizer: { ...optimizer, lr: 1e30 } }, "auto"),
  ).rejects.toThrow(
    /at step \d the (loss|gradients).*; the first number that is not finite came up /,
  );
  expect((await finalBytes("diverges")).equals(kept)).toBe(true);
});

test("a step that is not finite says in what block it went wrong, and behind what parameter", async () => {
  const backend = await chooseBackend("wasm");
  const { tf } = backend;
  const data = await openData(tinyData, import.meta.dirname, 1);
  const batch = new BatchStream(data.train, trainable.batch).next();
  const state = freshState(tf, trainable.parameters, 1);
  const path = Object.keys(state.weights).find((own) => /^blocks\.\d+\..*\.weight$/.test(own))!;
  const [, block, name] = /^(blocks\.\d+)\.(.*)$/.exec(path)!;
  const old = state.weights[path]!;
  state.weights[path] = tf.fill(old.shape, Infinity);
  old.dispose();
  const before = tf.memory().numTensors;
  const failure: unknown = await trainStep(backend, trainable, tinySettings, state, batch, 6).catch(
    (error: unknown) => error,
  );
  expect(String(failure)).toContain("at step 7 the loss is NaN");
  expect(String(failure)).toContain(`came up in \`${block!}\`, behind \`${name!}\`, in the [`);
  expect(tf.memory().numTensors).toBe(before);
  freeState(state);
});
