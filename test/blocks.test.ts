/**
 * Samples of the blocks: what they come to as JSON, or what is wrong with them. And what their tables
 * promise: every key is described, and a trainer takes what a `train` block comes to.
 */

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeBlocks, type KeyDescription } from "../compiler/1-check/blocks/describe.js";
import type { Training } from "../compiler/1-check/blocks/training.js";
import { check } from "../compiler/1-check/check.js";
import { renderDiagnostics } from "../compiler/diagnostics/render/render.js";
import type { TrainSettings } from "../runtime/tfjs/train/settings.js";
import { memoryHost } from "./support/memory-host.js";

const run = (text: string) => check(memoryHost({ "input.lsm": text }), "input.lsm");

describe("samples/blocks", () => {
  const folder = join(import.meta.dirname, "samples/blocks");

  test.each(readdirSync(folder))("%s", async (name) => {
    const checked = run(readFileSync(join(folder, name, "input.lsm"), "utf8"));
    const { diagnostics, sources, data, trainings, meshes, conversions } = checked;
    const shown = renderDiagnostics(diagnostics, { source: (path) => sources.get(path) ?? null });
    const maps = { data, trainings, meshes, conversions };
    const values = Object.entries(maps).map(([kind, map]) => [kind, [...map.values()]] as const);
    const resolved = Object.fromEntries(values.filter(([, list]) => list.length > 0));
    const found = shown || `${JSON.stringify(resolved, null, 2)}\n`;
    await expect(found).toMatchFileSnapshot(join(folder, name, "expected.txt"));
    expect(name.startsWith("error")).toBe(diagnostics.length > 0);
  });
});

describe("what a block comes to", () => {
  test("is what a trainer takes", () => {
    const takes = (training: Training): TrainSettings => training;
    expect(takes).toBeDefined();
  });

  test("is known although another block is wrong", () => {
    const { data, diagnostics } = run('data a { text "a"  seq 8 }\ndata b { text "b" }');
    expect([...data.keys()]).toEqual(["a"]);
    expect(diagnostics.map(({ code }) => code)).toEqual(["missing-setting"]);
  });

  test("a mistyped key is one mistake, not also a missing one", () => {
    const { diagnostics } = run('data a { txt "a.txt"  sec 64 }');
    expect(diagnostics.map(({ code }) => code)).toEqual(["unknown-setting", "unknown-setting"]);
  });

  test("takes sums of any length that the grammar allows", () => {
    const sum = Array<string>(500).fill("1").join(" + ");
    expect(run(`data a { text "a"  seq (${sum}) }`).data.get("a")).toHaveProperty("seq", 500);
  });
});

describe("a mesh without a pipeline", () => {
  test.each([
    ["a series model", "model M { forecast(linear(patches(series(32), 8), [width: 4]), 8) }"],
    ["a model without blocks", "model M { language_model(vocab: 8, width: 4, blocks: []) }"],
  ])("takes %s, which has no stack", (_, model) => {
    expect(run(`${model}\nparallel pod on h100 * 2 { mesh { dp_shard: 2 } }`).diagnostics).toEqual(
      [],
    );
  });
});

describe("describeBlocks", () => {
  const blocks = describeBlocks();

  test("has the four kinds, and every key with its documentation", () => {
    expect(blocks.map(({ kind }) => kind)).toEqual(["data", "train", "parallel", "convert"]);
    const complete = ({ key, usage, takes, doc, choices }: KeyDescription): void => {
      expect(usage, key).toMatch(new RegExp(`^${key}\\b`));
      expect(takes, key).not.toBe("");
      expect(doc, key).not.toMatch(/^$|\.$/);
      for (const { options } of choices) options.forEach(complete);
    };
    for (const { keys } of blocks) keys.forEach(complete);
  });

  test("writes defaults as a program would", () => {
    const train = blocks.find(({ kind }) => kind === "train")!;
    const defaults = train.keys.flatMap((key) => (key.default === null ? [] : [key]));
    expect(Object.fromEntries(defaults.map((key) => [key.key, key.default]))).toEqual({
      schedule: "constant",
      clip: "1",
      precision: "fp32",
      accumulate: "1",
      seed: "0",
    });
    const adamw = train.keys.find(({ key }) => key === "optimizer")!.choices[0]!;
    expect(adamw.options.map((option) => option.default)).toEqual([
      null,
      "(0.9, 0.95)",
      "0.1",
      "1e-8",
    ]);
  });
});
