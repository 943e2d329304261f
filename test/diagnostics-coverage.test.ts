/**
 * Every message has a sample that raises it: a program in `test/samples/<phase>/<case>/` whose expected
 * output names its code in brackets. What the renderer's own samples say does not count.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { expect, test } from "vitest";
import { catalogue } from "../compiler/diagnostics/catalogue.generated.js";

const samples = join(import.meta.dirname, "samples");

/** The codes that expected outputs name, each with one file that does. */
function raised(): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync(samples, { recursive: true, encoding: "utf8" })) {
    if (name.startsWith(`diagnostics${sep}`) || !name.endsWith(".txt")) continue;
    const text = readFileSync(join(samples, name), "utf8");
    for (const [, code] of text.matchAll(/^(?:error|warning)\[([a-z0-9-]+)\]/gm))
      found.set(code!, name);
  }
  return found;
}

test("every code has a sample that raises it", () => {
  const covered = raised();
  expect(Object.keys(catalogue).filter((code) => !covered.has(code))).toEqual([]);
});

test("no sample expects a code that is not in the catalogue", () => {
  expect([...raised()].filter(([code]) => !Object.hasOwn(catalogue, code))).toEqual([]);
});
