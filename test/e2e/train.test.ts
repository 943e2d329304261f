/** `lsm train`, and what can be done with what it leaves, as a user meets them: processes on a real disk. */

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { tinySource } from "../support/tiny-model.js";

const root = join(import.meta.dirname, "../..");
const program = join(root, "dist/lsm.js");
const folder = mkdtempSync(join(tmpdir(), "lsm-e2e-"));
const steps = 120;

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 }); // processes on a machine that may be busy

const blocks = `
data words {
  text "words.txt"
  seq 32
  held_out 0.1
}

data recall { generate mqar(pairs: 2, vocab: 16) seq 16 held_out 16 }

train tiny {
  model Tiny data words
  optimizer adamw(lr: 3e-3)
  schedule cosine(warmup: 5)
  batch 2 steps ${steps} checkpoint every 30
  sample "the "
}

train task { model Tiny data recall optimizer adamw(lr: 3e-3) batch 4 steps 3 }
`;

beforeAll(() => {
  execFileSync("node", ["build.mjs"], { cwd: root });
  writeFileSync(join(folder, "tiny.lsm"), tinySource + blocks);
  const words = ["the", "whale", "swims", "and", "a", "sailor", "sees", "sea"];
  const text = Array.from({ length: 3000 }, (_, i) => words[(i * i + (i >> 3)) % words.length]);
  writeFileSync(join(folder, "words.txt"), text.join(" "));
});
afterAll(() => rmSync(folder, { recursive: true }));

function lsm(...argv: string[]) {
  const { status, stdout, stderr } = spawnSync("node", [program, ...argv], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
  return { status, out: stdout, err: stderr };
}

const tiny = ["train", "tiny.lsm", "--train", "tiny", "--backend", "wasm"];

/** The steps in a run's metrics, without what differs from machine to machine. */
const stepsOf = (run: string) =>
  readFileSync(join(folder, run, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, number>)
    .filter((record) => "loss" in record)
    .map(({ step, loss, lr, grad_norm }) => ({ step, loss, lr, grad_norm }));

describe("a run from start to end", () => {
  let report: ReturnType<typeof lsm>;
  beforeAll(() => {
    report = lsm(...tiny, "--out", "whole");
  });

  test("says what it does, what came of it, and how to go on", () => {
    expect(report.status).toBe(0);
    expect(report.out).toMatch(/^model {6}Tiny, [\d,]+ parameters, [\d,]+ activated for a token$/m);
    expect(report.out).toMatch(/^recurrence .*S in L: family F3: erase, chunk \d+$/m);
    expect(report.out).toMatch(/^backend {4}wasm \(SIMD\): as asked$/m);
    expect(report.out).toMatch(
      /^baselines {2}unigram \d\.\d+, bigram \d\.\d+, held out, nats per byte$/m,
    );
    expect(report.out).toMatch(
      /^loss {7}training \d\.\d+, held out \d\.\d+, bigram model \d\.\d+ \(nats per byte\)$/m,
    );
    expect(report.out).toMatch(/lsm generate whole --prompt "the "$/m);
    expect(report.out).toMatch(/\n\nthe [^]{100,}\n$/);
    expect(report.err).toMatch(/^step +\d+\/120 {2}loss /m);
  });

  test("leaves a folder with everything in it", () => {
    for (const name of ["model.lsm", "config.json", "metrics.jsonl", "loss.svg"])
      expect(existsSync(join(folder, "whole", name)), name).toBe(true);
    expect(stepsOf("whole")).toHaveLength(steps);
  });

  test("generate writes the same text for the same seed, and another for another", () => {
    const write = (seed: string) =>
      lsm(
        "generate",
        "whole",
        "--prompt",
        "the ",
        "--tokens",
        "40",
        "--seed",
        seed,
        "--backend",
        "wasm",
      );
    const { status, out } = write("1");
    expect([status, out.startsWith("the ")]).toEqual([0, true]);
    expect(write("1").out).toBe(out);
    expect(write("2").out).not.toBe(out);
  });

  test("evaluate finds the held-out loss that the run ended with", () => {
    const { status, out } = lsm("evaluate", "whole", "--json", "--backend", "wasm");
    expect(status).toBe(0);
    const { loss, bigram, step } = JSON.parse(out) as Record<string, number>;
    expect(step).toBe(steps);
    expect(report.out).toContain(
      `held out ${loss!.toFixed(3)}, bigram model ${bigram!.toFixed(3)}`,
    );
  });

  test("a run in a folder that holds something is refused", () => {
    const { status, err } = lsm(...tiny, "--out", "whole");
    expect(status).toBe(3);
    expect(err).toMatch(/^error\[run-folder-not-empty\]/);
  });

  test("stopped by Ctrl-C it saves, says how to go on, and goes on exactly, twice", async () => {
    const argv = [...tiny, "--out", "stopped"];
    for (const [resume, at] of [
      [[], 8],
      [["--resume"], 50],
    ] as const) {
      const { code, out } = await interrupted([...argv, ...resume], "stopped", at);
      expect(code).toBe(130);
      expect(out).toMatch(/^stopped {4}at step \d+ of 120, saved .*safetensors$/m);
      expect(out).toContain("lsm train tiny.lsm --train tiny --out stopped --resume\n");
    }
    expect(lsm(...argv, "--resume").status).toBe(0);
    expect(stepsOf("stopped")).toEqual(stepsOf("whole"));
    const final = (run: string) => readFileSync(join(folder, run, "checkpoints/final.safetensors"));
    expect(final("stopped").equals(final("whole"))).toBe(true);
  });
});

/** Runs until its metrics have `lines` lines, then sends it the signal of Ctrl-C. */
async function interrupted(argv: readonly string[], run: string, lines: number) {
  const child = spawn("node", [program, ...argv], { cwd: folder });
  let out = "";
  child.stdout.on("data", (text: Buffer) => (out += text.toString()));
  const metrics = join(folder, run, "metrics.jsonl");
  const written = () =>
    existsSync(metrics) && readFileSync(metrics, "utf8").split("\n").length > lines;
  const watch = setInterval(() => {
    if (!written()) return;
    clearInterval(watch);
    child.kill("SIGINT");
  }, 5);
  const code = await new Promise<number | null>((done) => child.on("close", done));
  clearInterval(watch);
  return { code, out };
}

describe("what cannot be", () => {
  test("several train blocks need a choice", () => {
    const { status, err } = lsm("train", "tiny.lsm");
    expect(status).toBe(2);
    expect(err).toBe(
      "error: tiny.lsm has several: `tiny`, `task`\nhelp: choose one: --train tiny\n",
    );
  });

  test("a run folder where a file lies", () => {
    const { status, err } = lsm(...tiny, "--out", "words.txt");
    expect([status, err.split("\n")[0]]).toEqual([
      3,
      "error[file-access]: cannot make the folder: a file of this name is in the way",
    ]);
  });

  test("a checkpoint that is damaged", () => {
    writeFileSync(join(folder, "bad.safetensors"), "not one");
    for (const argv of [
      ["generate", "bad.safetensors", "--prompt", "x"],
      ["evaluate", "bad.safetensors"],
    ]) {
      const { status, err } = lsm(...argv);
      expect(status).toBe(3);
      expect(err).toMatch(/^error\[checkpoint-corrupt\]/);
    }
  });
});

test("a generated task is measured by its accuracy, and has nothing to write", () => {
  const { status, out } = lsm(
    "train",
    "tiny.lsm",
    "--train",
    "task",
    "--out",
    "task",
    "--backend",
    "wasm",
  );
  expect(status).toBe(0);
  expect(out).toMatch(/^accuracy {3}[\d.]+% of 32 held-out predictions$/m);
  const written = lsm("generate", "task", "--prompt", "x");
  expect(written.status).toBe(2);
  expect(written.err).toContain("was not trained on text");
});
