/** `lsm summary` and `lsm diff`: what models cost, and how two of them differ. */

import { describe, expect, test } from "vitest";
import type { Comparison } from "../compiler/compare.js";
import type { ModelSummary } from "../compiler/summary.js";
import { align } from "../compiler/align.js";
import { lsm } from "./support/command-line.js";
import { memoryHost } from "./support/memory-host.js";

const model = (name: string, mixer: string, blocks = "[L, L]"): string =>
  `model ${name} {\n  L = Block(${mixer}, MoE(experts: 4, top_k: 2, hidden: 8))\n` +
  `  language_model(vocab: 32, width: 16, blocks: ${blocks})\n}\n`;

const host = memoryHost({
  "a.lsm": model("Tiny", "GLA(heads: 2)"),
  "same.lsm": `// the same\n${model("Other", "GLA(heads: 2)")}`,
  "muon.lsm": `${model("Tiny", "GLA(heads: 2)")}
data tokens { generate mqar(pairs: 2, vocab: 32)  seq 16 }
train run { model Tiny  data tokens  optimizer muon(lr: 1e-3)  batch 2  steps 2 }
`,
  "b.lsm": model("Tiny", "RetNet(heads: 2)", "[L, L, L]"),
  "several.lsm": model("Tiny", "GLA(heads: 2)") + model("Full", "Attention(heads: 2)"),
  "broken.lsm": "model M { lnear(1) }\n",
});
const out = async (...argv: string[]) => (await lsm(argv, { host })).out;

describe("lsm summary", () => {
  test("says what Muon trains, where a training asks for it", async () => {
    expect(await out("summary", "muon.lsm")).toContain(
      "optimizer of run: Muon on 22 tensors (6,016 weights), AdamW on 11 (1,136)\n",
    );
    expect(await out("summary", "a.lsm")).not.toContain("optimizer");
  });

  test("is a tree whose parts add up", async () => {
    const summary = JSON.parse(await out("summary", "a.lsm", "--json")) as ModelSummary;
    interface Part {
      readonly parameters: number;
      readonly stateBytes: number;
      readonly flopsPerToken: number;
      readonly parts: readonly Part[];
    }
    const adds = ({ parameters, stateBytes, flopsPerToken, parts }: Part): void => {
      if (parts.length === 0) return;
      const sum = (of: (part: Part) => number) => parts.reduce((all, part) => all + of(part), 0);
      expect(sum((part) => part.parameters)).toBe(parameters);
      // a block carries its token's place in the document as well
      expect(sum((part) => part.stateBytes)).toBeLessThanOrEqual(stateBytes);
      // and adds its layers' results up itself
      expect(sum((part) => part.flopsPerToken)).toBeLessThanOrEqual(flopsPerToken * (1 + 1e-9));
      parts.forEach(adds);
    };
    adds({ ...summary, parts: summary.blocks });
    const [, block] = summary.blocks;
    const part = (name: string) => block!.parts.find((each) => each.name === name)!;
    expect(part("mixer").stateBytes).toBe(256);
    const own = block!.parts.reduce((sum, { flopsPerToken }) => sum + flopsPerToken, 0);
    expect(own).toBeGreaterThan(0.97 * block!.flopsPerToken);
    // one linear map of 16 to 2 heads of 4: two operations a weight; twice the scale
    const q = part("mixer").parts.find(({ name }) => name === "q")!;
    expect(q.flopsPerToken).toBe(2 * 16 * 8);
  });

  test("shows as many levels as it is asked for", async () => {
    const [flat, deep] = [
      await out("summary", "a.lsm", "--depth", "0"),
      await out("summary", "a.lsm", "--depth", "2"),
    ];
    expect(flat).toMatch(/^├ outside the blocks .*\n└ 2 × L \(blocks\.0, 1\) /m);
    expect(deep).toMatch(/^ {2}├ mixer .*\n {2}│ ├ q /m);
    expect(deep).toMatch(/^Tiny +[\d,]+ {2}100\.0 %/m);
  });

  test("counts what grows with the context", async () => {
    const states = async (tokens: string) =>
      (
        JSON.parse(
          await out("summary", "several.lsm", "--model", "Full", "--tokens", tokens, "--json"),
        ) as ModelSummary
      ).stateBytes;
    expect(await states("64")).toBeGreaterThan(3 * (await states("16")));
    expect((await lsm(["summary", "a.lsm", "--tokens", "none"], { host })).code).toBe(2);
  });
});

describe("lsm diff", () => {
  test("says when there is no difference", async () => {
    const { code, out: text } = await lsm(["diff", "a.lsm", "same.lsm"], { host });
    expect(code).toBe(0);
    expect(text).toBe(
      "Tiny (a.lsm) → Other (same.lsm), for sequences of 1,024 tokens\n\nNo difference in parameters, FLOPs, states or shapes.\n",
    );
  });

  test("tells figures, blocks, shapes and recurrences, and each once", async () => {
    const text = await out("diff", "a.lsm", "b.lsm", "--tokens", "32");
    expect(text).toMatch(/^parameters +[\d,]+ +[\d,]+ +\+[\d,]+ \(\+\d+\.\d %\)$/m);
    expect(text).toMatch(/^ {2}~ blocks\.\{0–1\}: parameters /m);
    expect(text).toMatch(/^ {2}\+ blocks\.2: parameters /m);
    expect(text).toMatch(/^ {2}- blocks\.\{0–1\}\.mixer\.a\.down\.weight \[/m);
    expect(text).toMatch(
      /^ {2}~ mixer\.S in L: family F2: key gate, chunk \d+ → family F1: scalar gate, chunk \d+$/m,
    );
    const { models } = JSON.parse(await out("diff", "a.lsm", "b.lsm", "--json")) as {
      models: Comparison[];
    };
    expect(models).toHaveLength(1);
    expect(models[0]!.equal).toBe(false);
    expect(models[0]!.blocks.map(({ path }) => path)).toContain("blocks.2");
  });

  test("takes a block put into the stack for what it is, and none behind it for changed", async () => {
    const stack = (blocks: string) =>
      `model M {\n  L = Block(GLA(heads: 2), swiglu(hidden: 8))\n  N = Block(Attention(heads: 2), swiglu(hidden: 8))\n` +
      `  language_model(vocab: 32, width: 16, blocks: ${blocks})\n}\n`;
    const files = memoryHost({
      "short.lsm": stack("[L, L, L, N]"),
      "long.lsm": stack("[L, N, L, L, N]"),
    });
    const { out: text } = await lsm(["diff", "short.lsm", "long.lsm", "--json"], { host: files });
    const { models } = JSON.parse(text) as { models: Comparison[] };
    expect(models[0]!.blocks.map(({ path, before }) => [path, before])).toEqual([
      ["blocks.1", null],
    ]);
    expect(models[0]!.parameters).toEqual([]);
  });

  test("matches what is left between matches in order", () => {
    const pairs = (a: string, b: string) =>
      align([...a], [...b], (kind) => kind).map(
        ({ before, after }) => `${before ?? "-"}${after ?? "-"}`,
      );
    expect(pairs("LLN", "LLLN")).toEqual(["LL", "LL", "-L", "NN"]);
    expect(pairs("LLN", "LN")).toEqual(["LL", "L-", "NN"]);
    expect(pairs("AAB", "CCB")).toEqual(["AC", "AC", "BB"]);
    expect(pairs("", "AB")).toEqual(["-A", "-B"]);
  });

  test("compares models of equal names, or those that are chosen", async () => {
    const text = await out("diff", "several.lsm", "b.lsm");
    expect(text).toContain("Tiny (several.lsm) → Tiny (b.lsm)");
    expect(text).toContain("\nFull is in several.lsm only\n");
    expect(await out("diff", "several.lsm:Tiny", "several.lsm:Full")).toContain(
      "Tiny (several.lsm) → Full",
    );
  });

  test.each([
    [["a.lsm:Tin", "b.lsm"], 2, "did you mean `Tiny`?"],
    [["several.lsm", "same.lsm"], 2, "no model of the same name"],
    [["a.lsm", "nowhere.lsm"], 3, "there is no such file"],
    [["a.lsm", "broken.lsm"], 1, "unknown-layer"],
  ])("of %j ends with %i", async (files, code, message) => {
    const found = await lsm(["diff", ...files], { host });
    expect(found.code).toBe(code);
    expect(found.err).toContain(message);
  });
});
