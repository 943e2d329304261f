/** Samples of the formatter. `npm run accept` takes over new ones. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as prettier from "prettier";
import { format } from "../grammar/format.js";
import { languages, parsers, printers } from "../grammar/prettier-plugin.js";
import { withoutPlaces } from "./properties/grammar-programs.js";

const plugin: prettier.Plugin = { languages: languages!, parsers, printers };
const folder = new URL("samples/format/", import.meta.url).pathname;

describe("samples/format", () => {
  test.each(readdirSync(folder))("%s", async (name) => {
    const text = readFileSync(join(folder, name, "input.lsm"), "utf8");
    const { text: found, diagnostics } = await format(text);
    expect(diagnostics).toEqual([]);
    await expect(found).toMatchFileSnapshot(join(folder, name, "expected.lsm"));
    expect(withoutPlaces(found)).toEqual(withoutPlaces(text));
    expect((await format(found)).text).toBe(found);
    expect((await format(`\ufeff${text.replaceAll("\n", "\r\n")}`)).text).toBe(found);
  });
});

describe("format", () => {
  test("leaves a file with errors as it is, and says what is wrong", async () => {
    const { text, diagnostics } = await format("layer  A {", "a.lsm");
    expect(text).toBe("layer  A {");
    expect(diagnostics.map(({ code }) => code)).toEqual(["unclosed-bracket"]);
    expect(diagnostics[0]!.labels[0]!.span.source).toBe("a.lsm");
  });

  test("works as a plugin of prettier", async () => {
    const found = await prettier.format("layer  A(x) {x}", {
      filepath: "a.lsm",
      plugins: [plugin],
    });
    expect(found).toBe("layer A(x) { x }\n");
  });

  test("is a plugin that prettier loads from the bundle", async () => {
    const path = new URL("../dist/prettier-plugin.js", import.meta.url).href;
    const found = await prettier.format("layer  A(x) {x}", { filepath: "a.lsm", plugins: [path] });
    expect(found).toBe("layer A(x) { x }\n");
  });

  test("tells prettier where a syntax error is", async () => {
    const broken = prettier.format("layer A(x) {\n  x +\n}", {
      filepath: "a.lsm",
      plugins: [plugin],
    });
    await expect(broken).rejects.toMatchObject({ loc: { start: { line: 3, column: 1 } } });
  });
});
