/** Samples of the parser, and what the parser promises about any text. `npm run accept` takes over new ones. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { byPlace } from "../compiler/diagnostics/report.js";
import { renderDiagnostics } from "../compiler/diagnostics/render/render.js";
import { dump } from "../grammar/dump.js";
import { Parser } from "../grammar/parser/declarations.js";
import { parse } from "../grammar/parse.js";

const folder = new URL("samples/parse/", import.meta.url).pathname;

/** The text of a sample; one with a file `copies` is so many times its input. */
function load(name: string): string {
  const text = readFileSync(join(folder, name, "input.lsm"), "utf8");
  const copies = join(folder, name, "copies");
  return existsSync(copies) ? text.repeat(Number(readFileSync(copies, "utf8"))) : text;
}

describe("samples/parse", () => {
  test.each(readdirSync(folder))("%s", async (name) => {
    const text = load(name);
    const { file, diagnostics } = parse(text, "input.lsm");
    const found =
      diagnostics.length === 0
        ? dump(file)
        : `${dump(file)}---
${renderDiagnostics(diagnostics, { source: () => text })}`;
    await expect(found).toMatchFileSnapshot(join(folder, name, "expected.txt"));
    expect(name.startsWith("error")).toBe(diagnostics.length > 0);
    expect([...diagnostics].sort(byPlace)).toEqual(diagnostics);
  });
});

describe("the grammar", () => {
  test("has no ambiguities but the declared ones", () => {
    expect(() => new Parser(true)).not.toThrow();
  });

  test.each(readdirSync(folder))(
    "does not mind CRLF, a lone CR or a byte order mark: %s",
    (name) => {
      const text = readFileSync(join(folder, name, "input.lsm"), "utf8");
      for (const lineEnd of ["\r\n", "\r"]) {
        const { file } = parse(`\ufeff${text.replaceAll("\n", lineEnd)}`, "");
        expect(dump(file)).toBe(dump(parse(text, "").file));
      }
    },
  );

  test("reads a file of 10 000 lines in linear time", () => {
    const text = readFileSync(join(folder, "gla/input.lsm"), "utf8");
    const time = (copies: number) => {
      const long = text.repeat(copies);
      const start = performance.now();
      expect(parse(long, "long.lsm").diagnostics).toEqual([]);
      return performance.now() - start;
    };
    time(100);
    const [short, long] = [time(200), time(720)];
    expect(long / short).toBeLessThan(12);
    expect(long).toBeLessThan(2000);
  });
});

describe("the messages of the parser", () => {
  const codes = [
    "unexpected-token",
    "unexpected-character",
    "unterminated-string",
    "bad-escape",
    "bad-number",
    "unclosed-bracket",
    "unopened-bracket",
    "nesting-too-deep",
    "stray-statement",
    "unknown-keyword",
    "missing-else",
    "chained-comparison",
    "not-callable",
  ];

  test.each(codes)("%s: the wrong program raises it, the right one parses", (code) => {
    const page = readFileSync(
      new URL(`../compiler/diagnostics/messages/${code}.md`, import.meta.url),
      "utf8",
    );
    const [wrong, right] = [...page.matchAll(/```lsm\n([^]*?)```/g)].map(
      (match) => parse(match[1]!, "").diagnostics,
    );
    expect(wrong!.map((diagnostic) => diagnostic.code)).toContain(code);
    expect(right).toEqual([]);
  });

  test("file-too-large is raised by a file of 10 MB", () => {
    expect(parse("(".repeat(10_000_000), "").diagnostics.map(({ code }) => code)).toEqual([
      "file-too-large",
    ]);
  });
});

describe("the programs of README.md", () => {
  const readme = readFileSync(new URL("../grammar/README.md", import.meta.url), "utf8");
  const programs = [...readme.matchAll(/```lsm\n([^]*?)```/g)].map((match) => match[1]!);

  test("are there", () => {
    expect(programs.length).toBeGreaterThan(10);
  });

  test.each(programs)("%s", (program) => {
    expect(parse(program, "README.md").diagnostics).toEqual([]);
  });
});
