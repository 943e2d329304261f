/** The text of emitted trainers: samples to read, names and texts that try to break out, letters, weights. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { check } from "../compiler/1-check/check.js";
import { Letters } from "../compiler/6-emit/tfjs/letters.js";
import { comment, key, literal, member } from "../compiler/6-emit/tfjs/trainer/text.js";
import { weightMember } from "../compiler/6-emit/tfjs/trainer/weights.js";
import { trainerText } from "../compiler/cli/build/trainer.js";
import { nest, under } from "../runtime/tfjs/nest.js";
import type { TensorMap } from "../runtime/tfjs/train/trainable.js";
import { memoryHost } from "./support/memory-host.js";

const samples = join(import.meta.dirname, "samples/emit-tfjs");
const cases = readdirSync(samples);

const made = new Map<string, Promise<string>>();

function trainerOf(source: string): Promise<string> {
  const known = made.get(source) ?? emit(source);
  made.set(source, known);
  return known;
}

async function emit(source: string): Promise<string> {
  const checked = check(memoryHost({ "input.lsm": source }), "input.lsm");
  expect(checked.diagnostics).toEqual([]);
  const training = [...checked.trainings.values()][0]!;
  return trainerText(checked, training, { source: "input.lsm", data: "." });
}

const sampleText = (name: string): string => readFileSync(join(samples, name, "input.lsm"), "utf8");

describe("an emitted trainer", () => {
  it.each(cases)("reads as expected: %s", async (name) => {
    const text = await trainerOf(sampleText(name));
    await expect(text).toMatchFileSnapshot(join(samples, name, "trainer.ts"));
  });

  it("is the same text every time", async () => {
    const source = sampleText("moe");
    expect(await emit(source)).toBe(await trainerOf(source));
  });
});

describe("letters", () => {
  const axis = (name: string, size: number) => ({ name, size });

  it("are the field's own, and small ones for axes that a contraction takes", () => {
    const letters = new Letters();
    const axes = [axis("batch", 2), axis("width", 4), axis("width'", 4), axis("constructor", 3)];
    expect(letters.all({ dtype: "float", axes })).toBe("BDdC");
  });

  it("are distinct in every kernel, however many axes a program has", () => {
    const letters = new Letters();
    for (let size = 1; size < 200; size += 1) {
      const axes = [axis("batch", 2), axis("hidden", size), axis("hidden'", size)];
      const type = { dtype: "float" as const, axes };
      const own = letters.covering([type]).all(type);
      expect(own).toMatch(/^B[A-Za-z]{2}$/);
      expect(new Set(own).size).toBe(3);
    }
  });
});

describe("text of a program", () => {
  it("cannot end a comment", () => {
    expect(comment("a */ b\u2028c\nd\u0000e")).toBe("a * / b c d e");
  });

  it("cannot leave a literal", () => {
    const wild = "\"'`${x}\\\n*/";
    expect(JSON.parse(literal(wild))).toBe(wild);
    expect(literal({ __proto__x: 1, "a b": [-0, 1e-7], gone: undefined })).toBe(
      '{ __proto__x: 1, "a b": [-0, 1e-7] }',
    );
    expect(key("__proto__")).toBe('["__proto__"]');
    expect(member("w", ["blocks", "0", "new", "a b"])).toBe('w.blocks[0].new["a b"]');
  });
});

describe("nested weights", () => {
  const tensors = (paths: readonly string[]) =>
    Object.fromEntries(paths.map((path) => [path, { path }])) as unknown as TensorMap;

  it("are found by the segments of their paths", () => {
    const paths = ["blocks.0.q.weight", "blocks.1.q.weight", "norm", "__proto__.a"];
    const w = nest<Record<string, never>>(tensors(paths));
    expect(w).toMatchObject({
      blocks: {
        0: { q: { weight: { path: paths[0] } } },
        1: { q: { weight: { path: paths[1] } } },
      },
      norm: { path: "norm" },
    });
    expect(Object.keys(w)).toContain("__proto__");
  });

  it("may have a path that is the beginning of others", () => {
    const paths = ["a", "a.b"];
    const w = nest<{ a: unknown }>(tensors(paths));
    expect(w.a).toMatchObject({ self: { path: "a" }, b: { path: "a.b" } });
    expect(paths.map((path) => weightMember(path, paths))).toEqual(["w.a.self", "w.a.b"]);
  });

  it("go under longer paths", () => {
    expect(Object.keys(under("blocks.3", tensors(["q.weight"])))).toEqual(["blocks.3.q.weight"]);
  });
});
