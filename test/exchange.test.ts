/**
 * One checkpoint for all targets: weights that Node wrote give the same logits in PyTorch; what PyTorch made of them in a step of
 * training, and wrote, gives in Node the logits it gave there, token by token on WebAssembly; and so does the folder for
 * transformers. Every model of the examples, and every kind of parameter. Needs `.venv` with torch and transformers.
 */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decoderFromProgram } from "../compiler/6-emit/tfjs/interpreted.js";
import { torchProject } from "../compiler/6-emit/torch/project.js";
import { parameterSpecs } from "../compiler/cli/parameters.js";
import { compileDecoding } from "../compiler/compile.js";
import { readCheckpoint, writeCheckpoint } from "../runtime/checkpoint/checkpoint.node.js";
import { float32 } from "../runtime/checkpoint/dtypes.js";
import { RandomStream } from "../runtime/random/stream.js";
import { type Backend, chooseBackend } from "../runtime/tfjs/backend.js";
import { Reader } from "../runtime/tfjs/train/generate.js";
import { freeTensors, loadWeights } from "../runtime/tfjs/train/state.js";
import { predictionOf } from "./support/logits.js";
import { exchangedModels } from "./support/models/exchanged.js";
import { batchFor, randomParameters, relativeError } from "./support/models/instance.js";
import { required } from "./support/required.js";

const root = resolve(import.meta.dirname, "..");
const python = join(root, ".venv/bin/python");
const there = required("torch") || existsSync(python);
const models = there ? exchangedModels() : [];
const time = 9;

/** What PyTorch computes with the weights of Node, and with its own behind a step, in Node's order of numbers. */
interface Found {
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** How far a step moved the logits. */
  readonly moved: number;
  /** Logits of transformers' AutoModelForCausalLM, from the folder; null for models of series. */
  readonly exported: number | null;
  /** Whether its generate() writes what the model likes best, one token after the other. */
  readonly writes: boolean | null;
}

describe.skipIf(!there)("a checkpoint", () => {
  const folder = mkdtempSync(join(tmpdir(), "lsm-exchange-"));
  const inputs = models.map(
    ({ model, label }) => batchFor(model, 1, time, new RandomStream(5, label), 0).inputs,
  );
  let found: readonly Found[] = [];
  let backend: Backend;

  beforeAll(async () => {
    backend = await chooseBackend("wasm");
    for (const [i, { model, label, source }] of models.entries()) {
      const home = join(folder, String(i));
      mkdirSync(home);
      const optimizer = { lr: 0, betas: [0, 0] as const, epsilon: 0, decay: 0 };
      const settings = { name: "small", optimizer };
      const around = {
        batch: 1,
        precision: "fp32",
        source: "model.lsm",
        data: ".",
        compiler: "test",
      };
      for (const { name, text } of torchProject({ model, settings, ...around }))
        writeFileSync(join(home, name), text);
      writeFileSync(join(home, "model.lsm"), source);
      const weights = [...randomParameters(model, new RandomStream(3, label), 0.3)].map(
        ([path, { axes, data }]) =>
          [
            path,
            float32(
              axes.map(({ size }) => size),
              Float32Array.from(data),
            ),
          ] as const,
      );
      const rest = { train: null, step: 0, schedule: null, data: null, random: {}, notes: {} };
      const tokenizer = model.window === null ? ({ kind: "bytes" } as const) : null;
      await writeCheckpoint(join(home, "node"), {
        ...rest,
        source,
        model: model.name,
        tokenizer,
        compiler: "test",
        weights: new Map(weights),
        optimizer: new Map(),
      });
      const given = [...inputs[i]!].map(([name, { axes, data }]) => [
        name,
        { shape: axes.map(({ size }) => size), data: Array.from(data) },
      ]);
      writeFileSync(join(home, "batch.json"), JSON.stringify(Object.fromEntries(given)));
    }
    const own = { OMP_NUM_THREADS: "1", HF_HUB_OFFLINE: "1", PYTHONDONTWRITEBYTECODE: "1" };
    const env = { ...process.env, ...own, HF_MODULES_CACHE: join(folder, "modules") };
    const options = {
      cwd: root,
      env,
      encoding: "utf8",
      maxBuffer: 1 << 28,
      stdio: "pipe",
    } as const;
    const text = execFileSync(python, ["test/torch/exchanged.py", folder], options);
    found = JSON.parse(text.trim().split("\n").at(-1)!) as typeof found;
  }, 300_000);
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it.each(models.map(({ label }, i) => [label, i] as const))("of %s", async (_, i) => {
    const { model } = models[i]!;
    const { before, after, moved, exported, writes } = found[i]!;
    const read = (name: string) =>
      readCheckpoint(join(folder, String(i), name, "final.safetensors"));
    const first = await readCheckpoint(
      join(folder, String(i), "node", "step-00000000.safetensors"),
    );
    expect(relativeError(before, predictionOf(first, model, inputs[i]!))).toBeLessThan(1e-4);
    expect(moved).toBeGreaterThan(1e-3);
    const second = await read("torch");
    expect(relativeError(after, predictionOf(second, model, inputs[i]!))).toBeLessThan(1e-4);
    if (model.window !== null) return;
    const ids = inputs[i]!.get("tokens")!.data;
    const { program, carried } = compileDecoding(model, time);
    const weights = loadWeights(backend.tf, parameterSpecs(model), second.weights, "torch");
    const reader = new Reader(backend, decoderFromProgram(program, carried), weights);
    const logits: number[] = [];
    for (const id of ids) logits.push(...(await reader.read(id, true))!);
    reader.free();
    freeTensors(weights);
    expect(relativeError(logits, after)).toBeLessThan(1e-4);
    expect(exported).toBeLessThan(1e-5);
    expect(writes).toBe(true);
  });
});
