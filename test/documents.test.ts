/** The programs that documents show: what is called right, or shown to follow, is well formed. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { catalogue } from "../compiler/diagnostics/catalogue.generated.js";
import { renderDiagnostics } from "../compiler/diagnostics/render/render.js";
import { parse } from "../grammar/parse.js";

const programs = (markdown: string) =>
  [...markdown.matchAll(/^```lsm\n([\s\S]*?)^```/gm)].map(([, text]) => text!);

function syntaxErrors(text: string): string {
  const { diagnostics } = parse(text, "example.lsm");
  return renderDiagnostics(diagnostics, { source: () => text });
}

test("README", () => {
  const shown = programs(readFileSync(join(import.meta.dirname, "../README.md"), "utf8"));
  expect(shown.length).toBeGreaterThan(0);
  expect(shown.map(syntaxErrors).join("")).toBe("");
});

describe("the right program of a message", () => {
  test.each(Object.entries(catalogue))("%s", (_code, { prose }) => {
    const right = programs(prose.slice(prose.indexOf("## Right")));
    expect(right.map(syntaxErrors).join("")).toBe("");
  });
});
