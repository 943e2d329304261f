/**
 * What documents show, held to the compiler: programs have no mistakes, messages and figures are what the
 * compiler says today, and every program in the repository is in the one format.
 */

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { check } from "../compiler/1-check/check.js";
import { lower } from "../compiler/2-lower/lower.js";
import { renderDiagnostics } from "../compiler/diagnostics/render/render.js";
import { printGraph } from "../compiler/ir/print.js";
import { reportText } from "../compiler/3-derive/forms/report.js";
import { normalFormText } from "../compiler/cli/normal-form-text.js";
import { summaryText } from "../compiler/cli/summary-text.js";
import { summarise } from "../compiler/summary.js";
import { format } from "../grammar/format.js";
import { memoryHost } from "./support/memory-host.js";

const read = (path: string) => readFileSync(path, "utf8");

/** The fenced blocks of a Markdown text whose info string is `info`. */
const blocks = (markdown: string, info: string) =>
  [...markdown.matchAll(new RegExp(`^\`\`\`${info}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(
    ([, text]) => text!,
  );

/** What `lsm check` says of a program. */
function complaints(text: string, path: string): string {
  const { diagnostics, sources } = check(memoryHost({ [path]: text, "layers.lsm": "" }), path);
  return renderDiagnostics(diagnostics, { source: (source) => sources.get(source) ?? null });
}

const guide = read("grammar/README.md");
const guided = blocks(guide, "lsm");

test("grammar/README.md is one program without mistakes", () => {
  expect(guided.length).toBeGreaterThan(10);
  const own = guided.findIndex((text) => text.includes("layer TwoClocks"));
  expect(complaints(guided.toSpliced(own, 1).join("\n"), "README.lsm")).toBe("");
});

test("README.md shows a layer without mistakes, and what a slip in it is called", () => {
  const readme = read("README.md");
  const [program] = blocks(readme, "lsm");
  expect(complaints(program!, "gla.lsm")).toBe("");
  const slipped = program!.replace("q = linear(x, [heads, key])", "q = linear(x, [heads, value])");
  expect(blocks(readme, "text")).toEqual([complaints(slipped, "gla.lsm")]);
});

describe("the layer of one's own in grammar/README.md", () => {
  const program = guided.find((text) => text.includes("layer TwoClocks"))!;
  const shown = blocks(guide, "text");

  test("is in the one format", async () => {
    expect((await format(program)).text).toBe(program);
  });

  test("has no mistakes", () => {
    expect(complaints(program, "two-clocks.lsm")).toBe("");
  });

  test("gives the message that is shown", () => {
    const slipped = program.replace("dot(k, F.prev, key)", "dot(k, F.prev, value)");
    expect(slipped).not.toBe(program);
    expect(shown).toContain(complaints(slipped, "two-clocks.lsm"));
  });

  test("costs what is shown", () => {
    const { models } = check(memoryHost({ "two-clocks.lsm": program }), "two-clocks.lsm");
    expect(shown).toContain(summaryText(summarise(models.get("Clocks")!, 128)));
  });
});

const written = ["stdlib", "examples"].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => `${folder}/${name}`),
);
const programs = written.filter((path) => path.endsWith(".lsm"));

describe.each(programs)("%s", (path) => {
  test("has no mistakes", () => {
    expect(complaints(read(path), path)).toBe("");
  });

  test("is in the one format", async () => {
    expect((await format(read(path), path)).text).toBe(read(path));
  });
});

test("every example says what it is", () => {
  for (const { name } of readdirSync("examples", { withFileTypes: true }).filter((one) =>
    one.isDirectory(),
  ))
    expect(existsSync(`examples/${name}/README.md`), name).toBe(true);
});

describe("examples/linear-moe/README.md", () => {
  const readme = read("examples/linear-moe/README.md");
  const count = (n: number) => n.toLocaleString("en-US");

  test.each(["a1b-7b", "a03b-2b"])("has the figures of %s", (file) => {
    const path = `examples/linear-moe/${file}.lsm`;
    const { models } = check(memoryHost({ [path]: read(path) }), path);
    expect(models.size).toBe(10);
    for (const [name, model] of models) {
      const { parameters, activated, stateBytes, recurrences } = summarise(model, 2048);
      const form = recurrences.map(
        ({ family, form: own }) => `${family}, ${own.replace("chunk", "chunks of")}`,
      );
      const short = name.replace(/^A\d+B_\dB_/, "");
      const figures = [parameters, activated, stateBytes].map(count);
      expect(readme).toContain(
        `| ${[short, ...figures, form.join()].join(" | ")} |`.replace("|  |", "| |"),
      );
    }
  });
});

test("examples/optimisers/README.md has the recurrences that are found", () => {
  const path = "examples/optimisers/optimisers.lsm";
  const { models } = check(memoryHost({ [path]: read(path) }), path);
  const lines = summarise(models.get("Optimisers")!, 1024).recurrences.map(
    (report) => `recurrence ${report.state} in ${report.function}: ${reportText(report)}\n`,
  );
  expect(read("examples/optimisers/README.md")).toContain(lines.join(""));
});

test("compiler/README.md shows the graphs that the compiler makes", () => {
  const readme = read("compiler/README.md");
  const [layer] = blocks(readme, "lsm");
  const model = "model One { language_model(vocab: 4, width: 2, blocks: [Fade()]) }";
  const { models } = check(memoryHost({ "fade.lsm": `${layer!}${model}` }), "fade.lsm");
  const { module } = models.get("One")!;
  const graphs = [module, lower(module, { batch: 8, time: 64 })];
  const gla = "model Own { L = GLA()\n language_model(vocab: 4, width: 32, blocks: [L]) }";
  const own = check(memoryHost({ "gla.lsm": gla }), "gla.lsm").models.get("Own")!;
  expect(blocks(readme, "text")).toEqual([
    ...graphs.map(({ functions }) => printGraph(functions.get("Fade")!)),
    normalFormText(summarise(own, 64).recurrences),
  ]);
});
