/** The standard library's reference: complete, and what a fresh one would be. */

import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "../grammar/parse.js";

const library = readdirSync("stdlib").filter((name) => name.endsWith(".lsm"));

test("stdlib/README.md is what the generator writes", () => {
  const run = () => execFileSync(process.execPath, ["stdlib/generate-reference.mjs", "--check"]);
  expect(run).not.toThrow();
});

test.each(library)("%s has a text for every layer", (name) => {
  const { file } = parse(readFileSync(`stdlib/${name}`, "utf8"), name);
  const bare = file.items.filter((item) => item.kind === "layer" && item.doc === null);
  expect(bare).toEqual([]);
});
