/** Reporting, did-you-mean, and the generator behind the message catalogue. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { catalogue } from "../compiler/diagnostics/catalogue.generated.js";
import type { Label, Message } from "../compiler/diagnostics/diagnostic.js";
import { messages } from "../compiler/diagnostics/messages.generated.js";
import { summary } from "../compiler/diagnostics/render/summary.js";
import { Reporter } from "../compiler/diagnostics/report.js";
import { didYouMean, editDistance, suggest } from "../compiler/diagnostics/suggest.js";

const message = (code: string, severity: Message["severity"] = "error"): Message => ({
  code,
  severity,
  title: `title of ${code}`,
  help: "its own help",
});
const at = (source: string, start: number, end = start + 1): Label => ({
  span: { source, start, end },
  text: "",
});

describe("Reporter", () => {
  test("sorts by file and place, with what has no place first", () => {
    const reporter = new Reporter();
    reporter.report(message("c"), [at("b.lsm", 0)]);
    reporter.report(message("b"), [at("a.lsm", 9)]);
    reporter.report(message("a"), [at("a.lsm", 9)]);
    reporter.report(message("e"), [at("a.lsm", 2, 8)]);
    reporter.report(message("f"), [at("a.lsm", 2, 4)]);
    reporter.report(message("d"), []);
    expect(reporter.diagnostics.map(({ code }) => code)).toEqual(["d", "f", "e", "a", "b", "c"]);
  });

  test("keeps the first of several reports of one code at one place", () => {
    const reporter = new Reporter();
    reporter.report(message("a"), [at("a.lsm", 1)], "first");
    reporter.report(message("a"), [at("a.lsm", 1), at("a.lsm", 5)], "second");
    reporter.report(message("b"), [at("a.lsm", 1)]);
    reporter.addAll([{ ...message("a"), labels: [at("a.lsm", 1)] }]);
    expect(reporter.diagnostics.map(({ help }) => help)).toEqual(["first", "its own help"]);
  });

  test("knows errors from warnings", () => {
    const reporter = new Reporter();
    reporter.report(message("a", "warning"), []);
    expect(reporter.hasErrors).toBe(false);
    reporter.report(message("b"), []);
    expect(reporter.hasErrors).toBe(true);
    expect(summary(reporter.diagnostics)).toBe("1 error and 1 warning");
    expect(summary([])).toBe(null);
  });
});

describe("did you mean", () => {
  const names = ["softmax", "sigmoid", "silu", "key", "value", "heads", "kv_heads"];

  test.each([
    ["sofmax", "softmax"],
    ["sotfmax", "softmax"],
    ["SoftMax", "softmax"],
    ["kvheads", "kv_heads"],
    ["kye", "key"],
    ["vaule", "value"],
    ["head", "heads"],
    ["q", null],
    ["conv", null],
    ["", null],
    ["x".repeat(100_000), null],
  ])("%.20s", (word, expected) => {
    expect(suggest(word, names)).toBe(expected);
  });

  test("never suggests the word itself, and takes the earlier of two equals", () => {
    expect(suggest("key", ["key", "keys", "kex"])).toBe("keys");
    expect(didYouMean("hed", ["head", "shed"])).toBe("did you mean `head`?");
    expect(didYouMean("hed", [])).toBe(null);
  });

  test("distances", () => {
    expect(editDistance("ca", "abc")).toBe(3); // optimal string alignment
    expect(editDistance("abcd", "abdc")).toBe(1);
    expect(editDistance("", "abc")).toBe(3);
    expect(editDistance("abc", "abcdefgh", 2)).toBe(Infinity);
  });
});

describe("the catalogue", () => {
  test("its generated files are fresh", () => {
    execFileSync("node", ["compiler/diagnostics/generate.mjs", "--check"], { stdio: "pipe" });
  });

  test("every code has its constructor", () => {
    expect(messages.axisMismatch({ op: "dot", axis: "key" })).toEqual({
      code: "axis-mismatch",
      severity: "error",
      title: "dot needs `key` on both sides",
      help: null,
    });
    expect(Object.keys(messages)).toHaveLength(Object.keys(catalogue).length);
  });

  test("no title ends in a full stop", () => {
    for (const [code, { title }] of Object.entries(catalogue))
      expect(title, code).not.toMatch(/[.!]$/);
  });
});

describe("the generator", () => {
  const folder = mkdtempSync(join(tmpdir(), "lsm-messages-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (settings: string, prose = "Why.\n\n## Wrong\n\n## Right\n") =>
    `---\n${settings}\n---\n${prose}`;

  function generate(name: string, text: string, ...flags: string[]): string {
    rmSync(join(folder, "messages"), { recursive: true, force: true });
    cpSync("compiler/diagnostics/generate.mjs", join(folder, "generate.mjs"));
    cpSync(
      "compiler/diagnostics/messages/axis-mismatch.md",
      join(folder, "messages/axis-mismatch.md"),
    );
    writeFileSync(join(folder, "messages", name), text);
    const program = join(folder, "generate.mjs");
    return execFileSync("node", [program, ...flags], { encoding: "utf8", stdio: "pipe" });
  }

  test("turns placeholders of the title and the help into parameters, and leaves other braces alone", () => {
    generate(
      "new-one.md",
      file('severity: warning\ntitle: "`{name}` \\\\ ${x} { body }"\nhelp: give {size} or {name}'),
    );
    const generated = readFileSync(join(folder, "messages.generated.ts"), "utf8");
    expect(generated).toContain(
      "newOne: (p: { name: Value; x: Value; size: Value }): Message => ({",
    );
    expect(generated).toContain("title: `\\`${p.name}\\` \\\\ \\$${p.x} { body }`,");
    expect(generated).toContain("help: `give ${p.size} or ${p.name}`,");
  });

  test("--check fails when a file is stale, and changes nothing", () => {
    const before = readFileSync(join(folder, "messages.generated.ts"), "utf8");
    expect(() => generate("other.md", file("severity: error\ntitle: other"), "--check")).toThrow(
      /is stale/,
    );
    expect(readFileSync(join(folder, "messages.generated.ts"), "utf8")).toBe(before);
  });

  test.each([
    ["Bad_Name.md", file("severity: error\ntitle: t"), "kebab-case"],
    ["a.md", "no settings", "expected `---`"],
    ["a.md", file("severity: fatal\ntitle: t"), "severity must be"],
    ["a.md", file("severity: error"), "`title` is missing"],
    ["a.md", file("severity: error\ntitle: t\ntitle: t"), "given twice"],
    ["a.md", file("severity: error\ncolour: red"), "cannot read `colour: red`"],
    ["a.md", file('severity: error\ntitle: "t'), "not a well-formed quoted string"],
    ["a.md", file("severity: error\ntitle: t", "## Wrong\n## Right\n"), "the prose is missing"],
    [
      "a.md",
      file("severity: error\ntitle: t", "Why.\n## Wrong\n"),
      "the section `## Right` is missing",
    ],
  ])("%s: says what is wrong (%#)", (name, text, reason) => {
    expect(() => generate(name, text)).toThrow(reason);
  });
});
