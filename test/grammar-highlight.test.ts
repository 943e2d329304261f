/** The highlighting grammar: generated, and in step with what the parser reads. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { highlighting } from "../grammar/highlight.js";

const { patterns } = highlighting();

/** The scope of the pattern that an editor would choose at the beginning of a text. */
function scopeOf(text: string): string | undefined {
  for (const { name, match, begin, captures } of patterns as {
    name?: string;
    match?: string;
    begin?: string;
    captures?: Record<string, { name: string }>;
  }[]) {
    if (new RegExp(`^(?:${match ?? begin})`).test(text)) return name ?? captures?.["1"]?.name;
  }
  return undefined;
}

test("the generated file is not stale (node grammar/generate-highlight.mjs)", () => {
  const present = readFileSync(
    new URL("../grammar/highlight.generated.json", import.meta.url),
    "utf8",
  );
  expect(JSON.parse(present)).toEqual(highlighting());
});

test.each([
  ["/// text", "comment.line.documentation.lsm"],
  ["//// text", "comment.line.double-slash.lsm"],
  ["1e-4,", "constant.numeric.lsm"],
  ['"text"', "string.quoted.double.lsm"],
  ["layer GLA(", "keyword.declaration.lsm"],
  ["layer)", "variable.other.lsm"],
  ["model: layer", "variable.parameter.lsm"],
  ["state S: [", "storage.type.lsm"],
  ["state = 1", "variable.other.lsm"],
  ["every 1000", "keyword.other.lsm"],
  ["dot(q", "entity.name.function.lsm"],
  ["none", "constant.language.lsm"],
  ["not a", "keyword.operator.logical.lsm"],
  ["== b", "keyword.operator.comparison.lsm"],
  ["<- a", "keyword.operator.assignment.lsm"],
  ["..axes", "keyword.operator.spread.lsm"],
])("%s is %s", (text, scope) => {
  expect(scopeOf(text)).toBe(scope);
});
