/** The parts of training that need no backend: initial weights, positions, settings, costs and counts. */

import { describe, expect, test } from "vitest";
import { check } from "../compiler/1-check/check.js";
import { programCost } from "../compiler/5-schedule/costs.js";
import { overridesOf, settingsOf } from "../compiler/cli/train/settings.js";
import { resolvedSource } from "../compiler/cli/resolved-source.js";
import { compileTraining } from "../compiler/compile.js";
import type { Initializer } from "../compiler/ir/initializer.js";
import { printProgram } from "../compiler/ir/print-program.js";
import { summarise } from "../compiler/summary.js";
import { RandomStream } from "../runtime/random/stream.js";
import { positionsOf } from "../runtime/tfjs/train/batch-tensors.js";
import { initialValues } from "../runtime/tfjs/train/initialise.js";
import { memoryHost } from "./support/memory-host.js";
import { plainSource, tinySource } from "./support/tiny-model.js";

const checkedOf = (source: string, more: Readonly<Record<string, string>> = {}) =>
  check(memoryHost({ "a.lsm": source, ...more }), "a.lsm");
const modelOf = (source: string) => [...checkedOf(source).models.values()][0]!;

describe("initial weights", () => {
  const axes = [
    { name: "rows", size: 2 },
    { name: "columns", size: 3 },
  ];
  const values = (initializer: Initializer, path = "w", seed = 1) => [
    ...initialValues({ path, axes, initializer }, seed),
  ];
  const map = (fn: "add" | "mul", ...inputs: Initializer[]): Initializer => ({
    kind: "map",
    fn,
    inputs,
  });

  test("count along the axis that is named, row-major", () => {
    expect(values({ kind: "iota", axis: "rows" })).toEqual([0, 0, 0, 1, 1, 1]);
    expect(values({ kind: "iota", axis: "columns" })).toEqual([0, 1, 2, 0, 1, 2]);
  });

  test("draw from the stream of their own path, element after element", () => {
    const random = new RandomStream(1, "init/w");
    const expected = Array.from({ length: 6 }, () => random.normal() + 10 * random.uniform());
    const ten: Initializer = { kind: "constant", value: 10 };
    const drawn = values(map("add", { kind: "normal" }, map("mul", ten, { kind: "uniform" })));
    expect(drawn).toEqual(expected.map(Math.fround));
    expect(values({ kind: "normal" }, "w")).not.toEqual(values({ kind: "normal" }, "v"));
    expect(values({ kind: "normal" }, "w", 1)).not.toEqual(values({ kind: "normal" }, "w", 2));
  });
});

test("positions begin anew with every row and every document", () => {
  const documents = Int32Array.of(0, 0, 1, 1, 0, 1, 1, 2);
  const batch = { documents, seq: 4 } as Parameters<typeof positionsOf>[0];
  expect([...positionsOf(batch)]).toEqual([0, 1, 0, 1, 0, 0, 1, 0]);
});

describe("settings", () => {
  const source = `${plainSource}
data d { text "a.txt" seq 16 }
train t { model Plain data d optimizer adamw(lr: 0.1) batch 4 accumulate 2 steps 9 seed 3 }
`;
  const training = checkedOf(source).trainings.get("t")!;
  const saved = (overrides: object) => ({
    path: "",
    checkpoint: { notes: { overrides }, data: { seed: 5 } } as never,
  });

  test("come from the block, then from the flags", () => {
    const { steps, seed, accumulate } = settingsOf(training, { steps: null, seed: null });
    expect([steps, seed, accumulate]).toEqual([9, 3, 2]);
    expect(settingsOf(training, { steps: 2, seed: 0 })).toMatchObject({ steps: 2, seed: 0 });
  });

  test("of a resumed run are those it was started with, unless steps are added", () => {
    expect(overridesOf({}, saved({ steps: 20, seed: 5 }))).toEqual({ steps: 20, seed: 5 });
    expect(overridesOf({ steps: 30 }, saved({ steps: 20 }))).toEqual({ steps: 30, seed: null });
    expect(() => overridesOf({ seed: 6 }, saved({}))).toThrow(/started with seed 5/);
  });
});

test("a program of several files becomes one that means the same", () => {
  const layer = "layer Twice(x: [width]) { x + x }\n";
  const model = `use "b.lsm"\n\nmodel M {\n  language_model(vocab: 8, width: 4, blocks: [Twice()])\n}\n`;
  const checked = checkedOf(model, { "b.lsm": layer });
  expect(checked.diagnostics).toEqual([]);
  const source = resolvedSource(checked);
  expect(source).not.toContain("use");
  const again = checkedOf(source);
  expect(again.diagnostics).toEqual([]);
  expect([...again.models.keys()]).toEqual(["M"]);
  expect(resolvedSource(again)).toBe(source);
});

describe("costs and counts", () => {
  test("a linear map costs two operations a weight and token", () => {
    const source =
      "model M {\n  language_model(vocab: 64, width: 32, blocks: [swiglu(hidden: 128)])\n}\n";
    const { evaluation } = compileTraining(modelOf(source), { batch: 2, time: 8 });
    const { total, blocks, own } = programCost(evaluation);
    const block = [...blocks.values()][0]!;
    const weights = 3 * 32 * 128;
    expect(block.flops / (2 * 8 * 2 * weights)).toBeCloseTo(1, 1);
    expect(block.flops + own.flops).toBe(total.flops);
    expect(block.bytes).toBeGreaterThan(4 * weights);
  });

  test("of routed experts, the chosen ones are activated", () => {
    const { parameters, activated, blocks, stateBytes } = summarise(modelOf(tinySource), 32);
    const experts = 4 * 3 * 16 * 16;
    expect(parameters - activated).toBe(experts / 2);
    expect(blocks.map(({ path, layer }) => [path, layer])).toEqual([
      ["", null],
      ["blocks.0", "L"],
      ["blocks.1", "N"],
    ]);
    expect(blocks.reduce((sum, block) => sum + block.parameters, 0)).toBe(parameters);
    expect(blocks.reduce((sum, block) => sum + block.stateBytes, 0)).toBe(stateBytes);
  });

  test("recurrent states take the same bytes for any length, the keys of full attention do not", () => {
    const bytes = (tokens: number) =>
      summarise(modelOf(tinySource), tokens).blocks.map((block) => block.stateBytes);
    const [short, long] = [bytes(32), bytes(64)];
    expect(long[1]).toBe(short[1]);
    expect(long[2]).toBeGreaterThan(short[2]!);
  });
});

test("a program's text names every buffer's birth and death", () => {
  const { gradients } = compileTraining(modelOf(plainSource), { batch: 1, time: 16 });
  const text = printProgram(gradients);
  expect(text).toMatch(/^function main\n {2}input tokens = %0\.tokens: int\[batch 1, time 16\]/);
  expect(text).toMatch(/run %\d+.* = map\(.*\) \{ v0 = /);
  expect(text.match(/ alloc /g)!.length).toBeGreaterThan(50);
});
