/**
 * Writes the reference of the standard library and of the built-in functions.
 *
 *   node stdlib/generate-reference.mjs           writes stdlib/README.md
 *   node stdlib/generate-reference.mjs --check   fails when it is stale
 *
 * Text comes from the `///` comments, headers from the declarations as they stand. The family of a layer
 * is not written down anywhere: the compiler is asked what it makes of a block of it.
 */
import { build } from "esbuild";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = import.meta.dirname;
const path = join(folder, "README.md");
const { parse, check, lower, chooseForms, builtins } = await compiler();

const library = readdirSync(folder)
  .filter((name) => name.endsWith(".lsm"))
  .sort()
  .map((name) => ({ path: `stdlib/${name}`, text: readFileSync(join(folder, name), "utf8") }));
const files = library.map(({ path: source, text }) => ({
  name: source.slice("stdlib/".length),
  layers: parse(text, source).file.items.map((layer) => ({
    name: layer.name.name,
    header: headerOf(layer, text),
    doc: layer.doc ?? "",
    families: familiesOf(layer),
  })),
}));

const text = reference();
if (!process.argv.includes("--check")) {
  writeFileSync(path, text);
} else if (!existsSync(path) || readFileSync(path, "utf8") !== text) {
  console.error("stdlib/README.md is stale: run node stdlib/generate-reference.mjs");
  process.exitCode = 1;
}

/** What this script needs of the compiler, bundled from its source: dist/ may be older. */
async function compiler() {
  const { outputFiles } = await build({
    stdin: {
      contents: `
        export { parse } from "./grammar/parse.ts";
        export { check } from "./compiler/1-check/check.ts";
        export { lower } from "./compiler/2-lower/lower.ts";
        export { chooseForms } from "./compiler/3-derive/forms/forms.ts";
        export { builtins } from "./compiler/1-check/builtins/index.ts";`,
      resolveDir: join(folder, ".."),
    },
    bundle: true,
    format: "esm",
    platform: "node",
    write: false,
  });
  const code = Buffer.from(outputFiles[0].contents).toString("base64");
  return import(`data:text/javascript;base64,${code}`);
}

/** `layer GLA(x: [width], heads = 4)`, as it stands in the file. */
function headerOf({ name, parameters }, source) {
  const end = source.indexOf(")", parameters.at(-1)?.span.end ?? name.span.end) + 1;
  return `layer ${source.slice(name.span.start, end)}`;
}

/** The families of the recurrences in a block of this layer; none when it cannot stand in a block alone. */
function familiesOf({ name }) {
  const program = `model One { language_model(vocab: 8, width: 128, blocks: [${name.name}()]) }`;
  const { models } = check({ readText: () => program, library: () => library }, "one.lsm");
  const model = models.get("One");
  if (!model) return [];
  const options = { prefer: "chunk", chunk: null };
  const { reports } = chooseForms(lower(model.module, { batch: 1, time: 64 }), options);
  return [...new Set(reports.map(({ family }) => family).filter((family) => family !== "?"))];
}

function reference() {
  const rows = files.flatMap(({ layers }) =>
    layers.map(
      ({ name, doc, families }) =>
        `| [${name}](#${anchor(name)}) | ${families.join(", ")} | ${cell(firstSentence(doc))} |`,
    ),
  );
  return (
    [
      "# The standard library",
      "Generated from the `///` comments by `node stdlib/generate-reference.mjs`; edit those instead.",
      "These layers need no `use`: they are there in every program, and a layer of your own with the same name takes the " +
        "place of one of them. `[width] → [width]` says what a layer takes and gives for one token; axes `..axes` are any. " +
        "The family says which form a recurrence takes: F0 sums, F1 decays by a number for each head, F2 by one for each " +
        "element of the key, F3 erases before it writes, F4 does both, F5 decays every element on its own, " +
        "F7 learns from the memory at the start of its chunk.",
      "Contents: [layers](#layers) · [built-in functions](#built-in-functions)",
      "## Layers",
      ["| layer | family | what it is |", "| --- | --- | --- |", ...rows].join("\n"),
      ...files.flatMap(({ name, layers }) => [
        `## ${name}`,
        ...layers.flatMap((layer) => [
          `### ${layer.name}`,
          `\`\`\`\n${layer.header}\n\`\`\``,
          ...(layer.doc === "" ? [] : [layer.doc]),
        ]),
      ]),
      "## Built-in functions",
      "What cannot be written in the language itself. `x` may have any axes; axes of the same name are aligned.",
      [
        "| call | gives |",
        "| --- | --- |",
        ...[...builtins.values()].map(({ usage, doc }) => `| \`${cell(usage)}\` | ${cell(doc)} |`),
      ].join("\n"),
    ].join("\n\n") + "\n"
  );
}

/** The first sentence, up to what a semicolon adds; not the dots of "et al.". */
function firstSentence(doc) {
  const line = doc.split("\n\n")[0].replaceAll("\n", " ");
  let depth = 0;
  for (let i = 0; i < line.length; i += 1) {
    if (line[i] === "(") depth += 1;
    if (line[i] === ")") depth -= 1;
    const ends =
      line[i] === ";" || (".:".includes(line[i]) && [" ", undefined].includes(line[i + 1]));
    if (depth === 0 && ends && (line[i] !== ":" || i + 1 === line.length)) return line.slice(0, i);
  }
  return line;
}

/** Markdown's anchor of a heading. */
function anchor(heading) {
  return heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9_ -]/g, "")
    .replaceAll(" ", "-");
}

function cell(content) {
  return content.replaceAll("|", "\\|");
}
