/**
 * Frames, held to the texts in `samples/diagnostics`: in each folder the sources, the diagnostics with
 * their places (`case.json`) and the expected rendering.
 */
import fc from "fast-check";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Diagnostic, Severity } from "../compiler/diagnostics/diagnostic.js";
import { palette } from "../compiler/diagnostics/render/colours.js";
import { cellWidth } from "../compiler/diagnostics/render/display.js";
import { toJson } from "../compiler/diagnostics/render/json.js";
import { renderDiagnostics } from "../compiler/diagnostics/render/render.js";

const samples = join(import.meta.dirname, "samples/diagnostics");

/** A place: `at` is the text it begins with (its `nth` occurrence), `to` the text it covers if shorter or longer. */
interface SampleLabel {
  readonly file?: string;
  readonly at?: string;
  readonly to?: string;
  readonly nth?: number;
  readonly span?: readonly [number, number];
  readonly text: string;
}

interface Sample {
  readonly width?: number;
  readonly diagnostics: readonly {
    readonly severity: Severity;
    readonly title: string;
    readonly help: string | null;
    readonly labels: readonly SampleLabel[];
  }[];
}

function load(name: string) {
  const folder = join(samples, name);
  const sample = JSON.parse(readFileSync(join(folder, "case.json"), "utf8")) as Sample;
  const files = readdirSync(folder).filter((file) => file.endsWith(".lsm"));
  const texts = new Map(files.map((file) => [file, readFileSync(join(folder, file), "utf8")]));
  const diagnostics = sample.diagnostics.map((diagnostic): Diagnostic => ({
    ...diagnostic,
    code: "sample",
    labels: diagnostic.labels.map((label) => placed(label, texts)),
  }));
  return { texts, diagnostics, width: sample.width };
}

function placed(label: SampleLabel, texts: ReadonlyMap<string, string>) {
  const source = label.file ?? "input.lsm";
  if (label.span !== undefined) {
    return { text: label.text, span: { source, start: label.span[0], end: label.span[1] } };
  }
  let start = -1;
  for (let n = 0; n < (label.nth ?? 1); n++)
    start = texts.get(source)!.indexOf(label.at!, start + 1);
  if (start < 0) throw new Error(`${source} has no ${label.at}`);
  return { text: label.text, span: { source, start, end: start + (label.to ?? label.at!).length } };
}

describe("every sample renders as expected", () => {
  test.each(readdirSync(samples))("%s", async (name) => {
    const { texts, diagnostics, width } = load(name);
    const source = (path: string) => texts.get(path) ?? null;
    const rendered = renderDiagnostics(diagnostics, {
      source,
      ...(width === undefined ? {} : { width }),
    });
    expect(rendered).not.toMatch(/[ \t]$/m);
    await expect(rendered).toMatchFileSnapshot(join(samples, name, "expected.txt"));
  });
});

test("line ends make no difference", () => {
  const { texts, diagnostics } = load("several-lines");
  const text = texts.get("input.lsm")!;
  const expected = renderDiagnostics(diagnostics, { source: () => text });
  for (const end of ["\r\n", "\r"]) {
    const grown = (offset: number) => text.slice(0, offset).replaceAll("\n", end).length;
    const moved = diagnostics.map((diagnostic) => ({
      ...diagnostic,
      labels: diagnostic.labels.map(({ text: said, span }) => ({
        text: said,
        span: { ...span, start: grown(span.start), end: grown(span.end) },
      })),
    }));
    expect(renderDiagnostics(moved, { source: () => text.replaceAll("\n", end) })).toBe(expected);
  }
});

test("colours change nothing but colours", () => {
  for (const name of readdirSync(samples)) {
    const { texts, diagnostics } = load(name);
    const source = (path: string) => texts.get(path) ?? null;
    const coloured = renderDiagnostics(diagnostics, { source, palette: palette(true) });
    expect(coloured).toContain("\u001b[31m");
    expect(coloured.replaceAll(/\u001b\[\d+m/g, "")).toBe(
      renderDiagnostics(diagnostics, { source }),
    );
  }
});

test("the JSON form names the same places", () => {
  const { texts, diagnostics } = load("several-lines");
  const [first] = toJson(diagnostics, (path) => texts.get(path) ?? null);
  expect(first).toMatchObject({ code: "sample", severity: "error", help: diagnostics[0]!.help });
  expect(first!.labels[0]).toMatchObject({
    file: "input.lsm",
    from: { line: 14, column: 11 },
    to: { line: 14, column: 12 },
  });
  expect(toJson(diagnostics, () => null)[0]!.labels[0]).toMatchObject({ from: null, to: null });
});

test("nothing to say renders as nothing", () => {
  expect(renderDiagnostics([], { source: () => null })).toBe("");
});

test("any text and any places render, and every underline stays under its line", () => {
  const piece = fc.constantFrom(
    "a",
    " ",
    "\n",
    "\r\n",
    "\t",
    "漢",
    "🐋",
    "\ud800",
    "\u0301",
    "\u001b",
  );
  const label = fc.record({
    start: fc.nat(80),
    length: fc.integer({ min: -3, max: 60 }),
    text: fc.string(),
  });
  const labels = fc.array(label, { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(
      fc.string({ unit: piece, maxLength: 60 }),
      labels,
      fc.integer({ min: 45, max: 60 }),
      (text, all, width) => {
        const diagnostic: Diagnostic = {
          code: "sample",
          severity: "error",
          title: text,
          help: null,
          labels: all.map(({ start, length, text: said }) => ({
            text: said,
            span: { source: "a.lsm", start, end: start + length },
          })),
        };
        const rows = renderDiagnostics([diagnostic], { source: () => text, width }).split("\n");
        const underlines = rows.filter((row) => /^ +\| +[-^]/.test(row));
        expect(underlines.length).toBeGreaterThan(0);
        for (const row of rows) expect(row).not.toMatch(/[\u0000-\u001f]/);
        for (const row of underlines) {
          const underlined = /^ +\| +[-^]+/.exec(row)![0].length;
          expect(underlined).toBeLessThanOrEqual(3 + 2 * width + 20);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test("cells", () => {
  expect(["a", "é", "\u0301", "\u200d", "漢", "ｱ", "Ａ", "가", "🐋", "→"].map(cellWidth)).toEqual([
    1, 1, 0, 0, 2, 1, 2, 2, 2, 1,
  ]);
});
