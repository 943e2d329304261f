/** Emits trainers of tiny models, and loads what was emitted. */

import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build, transform } from "esbuild";
import type { Model } from "../../../compiler/1-check/model.js";
import { emitTrainer } from "../../../compiler/6-emit/tfjs/trainer/emit-trainer.js";
import { type TrainingStages, compileTraining } from "../../../compiler/compile.js";
import type { TrainSettings } from "../../../runtime/tfjs/train/settings.js";
import type { Trainable } from "../../../runtime/tfjs/train/trainable.js";

const root = resolve(import.meta.dirname, "../../..");

export interface Sizes {
  readonly batch: number;
  readonly time: number;
}

export const someSettings = (time: number): TrainSettings => ({
  name: "tiny",
  data: { kind: "text", text: ["corpus/**/*.txt"], tokenizer: "bytes", seq: time, pack: true },
  optimizer: { lr: 1e-3, betas: [0.9, 0.95], epsilon: 1e-8, decay: 0.1 },
  schedule: { kind: "cosine", warmup: 3, floor: 1e-4 },
  steps: 10,
  clip: 1,
  checkpointEvery: null,
  evaluateEvery: null,
  seed: 1,
});

export interface Emitted {
  readonly text: string;
  readonly stages: TrainingStages;
}

/** The trainer of a model whose program's text is given, for its comments. */
export async function emitted(model: Model, source: string, sizes: Sizes): Promise<Emitted> {
  const stages = compileTraining(model, sizes);
  const { text } = await emitTrainer({
    model,
    programs: stages,
    sizes,
    settings: someSettings(sizes.time),
    source: { path: "model.lsm", text: source },
    data: ".",
  });
  return { text, stages };
}

/** What emitted code imports, bundled once for all trainers of a test. */
export async function bundledRuntime(): Promise<string> {
  const caches = join(root, "node_modules", ".cache", "lsm");
  mkdirSync(caches, { recursive: true });
  const folder = mkdtempSync(join(caches, "emitted-"));
  const outfile = join(folder, "runtime.mjs");
  await build({
    entryPoints: [join(root, "runtime/tfjs/index.ts")],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    logLevel: "error",
  });
  return outfile;
}

let loaded = 0;

/** Runs the text of a trainer as a module of its own, beside the runtime. */
export async function load(text: string, runtime: string): Promise<Trainable> {
  const { code } = await transform(text, { loader: "ts", format: "esm", target: "node20" });
  const file = join(dirname(runtime), `trainer-${(loaded += 1)}.mjs`);
  writeFileSync(file, code.replace('"lsm/runtime/tfjs"', '"./runtime.mjs"'));
  const module = (await import(pathToFileURL(file).href)) as { readonly trainable: Trainable };
  return module.trainable;
}
