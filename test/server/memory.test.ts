/** A check that remembers the one before says what a fresh one says, whatever was edited. */

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { check } from "../../compiler/1-check/check.js";
import { Memory } from "../../compiler/1-check/memory.js";
import { RandomStream } from "../../runtime/random/stream.js";
import { memoryHost } from "../support/memory-host.js";

const root = join(import.meta.dirname, "../..");
const samples = join(root, "test/samples/check");
const gla = readFileSync(join(root, "stdlib/gla.lsm"), "utf8");
const moby = readFileSync(join(root, "examples/moby/moby.lsm"), "utf8");
const programs = [
  'use "layers.lsm"\n' + gla + moby,
  ...readdirSync(samples)
    .slice(0, 12)
    .map((name) => readFileSync(join(samples, name, "input.lsm"), "utf8")),
];
const pieces = [
  "",
  "q",
  "x = ",
  "\n",
  " + ",
  "(",
  "}",
  "linear",
  "// a\n",
  "heads",
  "layer A(x: [width]) { x }\n",
  "model M { GLA() }\n",
  "4",
];

/** Cuts a little out of a text and puts a little in its place. */
function edit(text: string, random: RandomStream): string {
  const at = Math.floor(random.uniform() * text.length);
  const cut = Math.floor(random.uniform() ** 3 * 20);
  return (
    text.slice(0, at) + pieces[Math.floor(random.uniform() * pieces.length)]! + text.slice(at + cut)
  );
}

describe("a check with a memory", () => {
  test("says after every edit what a fresh one says", () => {
    const random = new RandomStream(Number(process.env["SEED"] ?? 1), "edits");
    const runs = Number(process.env["FUZZ"] ?? 100);
    let clean = 0;
    let memory = new Memory();
    for (let run = 0, text = ""; run < runs; run += 1) {
      if (run % 10 === 0) text = programs[(run / 10) % programs.length]!;
      const host = memoryHost({
        "layers.lsm": "layer Double(x: [width]) { 2 * x }\n",
        "a.lsm": text,
      });
      if (run % 10 === 0) memory = new Memory();
      const found = check(host, "a.lsm", memory);
      const fresh = check(host, "a.lsm");
      expect(found.diagnostics, text).toEqual(fresh.diagnostics);
      expect([...found.models.keys()]).toEqual([...fresh.models.keys()]);
      expect(found.trainings).toEqual(fresh.trainings);
      if (fresh.diagnostics.length === 0) clean += 1;
      // now and then back to what was whole, one line further down
      text =
        run % 3 === 2
          ? `// ${run}\n${programs[Math.floor(run / 10) % programs.length]!}`
          : edit(text, random);
    }
    expect(clean).toBeGreaterThan(runs / 20);
  });

  test("knows the places of what lies below an edit, and looks at it no second time", () => {
    const memory = new Memory();
    const at = (text: string) => check(memoryHost({ "a.lsm": text }), "a.lsm", memory);
    const before = at(gla + moby.replace("width", "widt"));
    const after = at("// one more line\n" + gla + moby.replace("width", "widt"));
    expect(before.diagnostics).toHaveLength(1);
    const [first, second] = [before, after].map(
      ({ diagnostics }) => diagnostics[0]!.labels[0]!.span,
    );
    expect(second!.start).toBe(first!.start + 17);
    const clean = at(gla + moby);
    const again = at("\n" + gla + moby);
    expect(again.models.get([...again.models.keys()][0]!)).toBe(
      clean.models.get([...clean.models.keys()][0]!),
    );
  });
});
