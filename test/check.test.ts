/**
 * The checker's messages. Each sample is named for the code that it is to raise; and each page of the
 * catalogue is held to its word: its wrong program raises its code, its right program raises nothing.
 */

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { check } from "../compiler/1-check/check.js";
import { sequenceFormMistakes } from "../compiler/sequence-forms.js";
import { catalogue } from "../compiler/diagnostics/catalogue.generated.js";
import { renderDiagnostics } from "../compiler/diagnostics/render/render.js";
import { memoryHost } from "./support/memory-host.js";

/** A file that programs may `use`. */
const layers = "layer Double(x: [width]) { 2 * x }\n";

function checked(text: string) {
  const program = check(memoryHost({ "input.lsm": text, "layers.lsm": layers }), "input.lsm");
  const { sources } = program;
  const diagnostics = [...program.diagnostics, ...sequenceFormMistakes(program)];
  const shown = renderDiagnostics(diagnostics, { source: (path) => sources.get(path) ?? null });
  return { codes: diagnostics.map(({ code }) => code), shown };
}

describe("samples/check", () => {
  const folder = join(import.meta.dirname, "samples/check");

  test.each(readdirSync(folder))("%s", async (name) => {
    const { codes, shown } = checked(readFileSync(join(folder, name, "input.lsm"), "utf8"));
    await expect(shown).toMatchFileSnapshot(join(folder, name, "expected.txt"));
    expect(codes).toContain(name);
  });
});

describe("the page of", () => {
  const programs = (text: string) =>
    [...text.matchAll(/^```lsm\n([\s\S]*?)^```/gm)].map(([, program]) => program!);

  test.each(Object.entries(catalogue))("%s", (code, { prose }) => {
    const [wrong, right] = prose.split("\n## Right\n").map(programs);
    for (const program of wrong!) expect(checked(program).codes).toContain(code);
    for (const program of right!) expect(checked(program).shown).toBe("");
  });
});

test("`use` brings in the parts of a file, and leaves its jobs", () => {
  const host = memoryHost({
    "own.lsm":
      'use "other.lsm"\nmodel Own { language_model(vocab: 256, width: 8, blocks: Block(GLA(heads: 1), swiglu())) }',
    "other.lsm": [
      "model Other { language_model(vocab: 256, width: 8, blocks: Block(GLA(heads: 1), swiglu())) }",
      'data text { text "a.txt" tokenizer bytes seq 8 }',
      "train unfinished { model Other }",
    ].join("\n"),
  });
  const { diagnostics, models, ownModels, data, trainings } = check(host, "own.lsm");
  expect(diagnostics).toEqual([]);
  expect([...models.keys()]).toEqual(["Own", "Other"]);
  expect([...ownModels]).toEqual(["Own"]);
  expect([...data.keys()]).toEqual(["text"]);
  expect([...trainings.keys()]).toEqual([]);
  expect(check(host, "other.lsm").diagnostics).not.toEqual([]);
});

test("a model is none when a layer that it applies for nothing, here by a slip, has a mistake", () => {
  const text = `layer Kept(x: [width], mixer: layer) {
  h = x row mixer(x)
  h
}
layer Routed(x: [width]) {
  route r = top_k(softmax(linear(x, [choices: 2]), choices), 1)
  mix m in r { linear(linear(x, [width]) * missing, [width]) }
}
model M { language_model(vocab: 5, width: 4, blocks: Kept(Routed())) }`;
  const { models, diagnostics } = check(memoryHost({ "a.lsm": text }), "a.lsm");
  expect(diagnostics.map(({ code }) => code)).toContain("unknown-name");
  expect([...models.keys()]).toEqual([]);
});
