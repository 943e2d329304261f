/** The command line: what each command says and how it ends, on files in memory. */
import { describe, expect, test } from "vitest";
import { catalogue } from "../compiler/diagnostics/catalogue.generated.js";
import { version } from "../compiler/cli/version.js";
import { Fault } from "../compiler/diagnostics/fault.js";
import { lsm } from "./support/command-line.js";
import { memoryHost } from "./support/memory-host.js";

const commands = [
  "init",
  "check",
  "fmt",
  "train",
  "generate",
  "evaluate",
  "summary",
  "diff",
  "diagram",
  "build",
  "trace",
  "explain",
  "lsp",
  "setup",
];

const good = "layer Id(x: [width]) {\n  x\n}\n";
const bad = "layer Id(x: [width]) {\n  y = x)\n  x\n}\n";

describe("help", () => {
  test("names every command", async () => {
    const { code, out } = await lsm(["--help"]);
    expect(code).toBe(0);
    for (const command of commands) expect(out).toMatch(new RegExp(`^  ${command} `, "m"));
  });

  test.each([...commands.filter((name) => name !== "setup"), "setup native"])(
    "of %s has examples",
    async (command) => {
      const { code, out, err } = await lsm([...command.split(" "), "--help"]);
      expect([code, err]).toEqual([0, ""]);
      expect(out).toContain(`Examples:\n  lsm ${command}`);
    },
  );

  test("goes to the error stream when there is no command", async () => {
    const { code, out, err } = await lsm([]);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain("Usage: lsm");
  });

  test("--version", async () => {
    expect(await lsm(["--version"])).toEqual({ code: 0, out: `${version}\n`, err: "" });
  });
});

describe("wrong usage ends with 2 and says what to do", () => {
  test.each([
    [["chekc"], "Did you mean check?"],
    [["check", "--jsn", "a.lsm"], "Did you mean --json?"],
    [["check"], "missing required argument 'file'"],
    [["summary", "a.lsm", "b.lsm"], "too many arguments"],
    [["train", "a.lsm", "--steps", "0"], "Expected a whole number, 1 or more."],
    [["train", "a.lsm", "--seed", "1.5"], "Expected a whole number, 0 or more."],
    [
      ["train", "a.lsm", "--backend", "cuda"],
      "Allowed choices are cpu, wasm, webgpu, node, node-gpu.",
    ],
    [["trace", "a.lsm", "--after", "forms", "--chunk", "0"], "Expected a whole number, 1 or more."],
    [["train", "a.lsm", "--form", "recurrent", "--chunk", "8"], "leave out --form or --chunk"],
    [["train", "a.lsm", "--target", "torch", "--chunk", "8"], "leave out --form and --chunk"],
    [["build", "a.lsm", "--out", "x"], "required option '--target <target>'"],
    [["generate", "run"], "there is nothing to continue"],
    [["generate", "run", "--prompt", "a", "--temperature", "hot"], "Expected a number, 0 or more."],
    [["explain", "axis-mismach"], "did you mean `axis-mismatch`?"],
    [["explain", "toString"], "`lsm explain` lists all codes"],
    [["fmt", "-", "a.lsm"], "cannot be given together with files"],
  ])("%j", async (argv, message) => {
    const { code, out, err } = await lsm(argv);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(message);
  });
});

describe("explain", () => {
  test("lists all codes", async () => {
    const { code, out } = await lsm(["explain"]);
    expect(code).toBe(0);
    expect(out.trimEnd().split("\n")).toHaveLength(Object.keys(catalogue).length);
    expect(out).toMatch(/^axis-mismatch +\{op\} needs/m);
  });

  test.each(["axis-mismatch", "error[axis-mismatch]", "[axis-mismatch]"])(
    "tells of %s",
    async (code) => {
      const { out } = await lsm(["explain", code]);
      expect(out).toMatch(/^error\[axis-mismatch\]: \{op\} needs/);
      expect(out).toMatch(/\nWrong\n\n {4}layer Read/);
      expect(out).not.toContain("```");
    },
  );

  test("--json", async () => {
    const one = await lsm(["explain", "axis-mismatch", "--json"]);
    expect(JSON.parse(one.out)).toMatchObject({ code: "axis-mismatch", severity: "error" });
    const all = await lsm(["explain", "--json"]);
    expect(Object.keys(JSON.parse(all.out) as object)).toEqual(Object.keys(catalogue));
  });

  test("every story fits a terminal", async () => {
    for (const code of Object.keys(catalogue)) {
      const { out } = await lsm(["explain", code]);
      const prose = out.split("\n").filter((row) => !row.startsWith("    "));
      for (const row of prose.slice(1))
        expect(row.length, `${code}: ${row}`).toBeLessThanOrEqual(90);
    }
  });
});

describe("init", () => {
  test("writes a starter program that names its own file", async () => {
    const host = memoryHost();
    const { code, out } = await lsm(["init", "models/first.lsm"], { host });
    expect(code).toBe(0);
    expect(out).toContain("wrote models/first.lsm");
    expect(host.files.get("models/first.lsm")).toContain("lsm train first.lsm");
  });

  test("never replaces a file unasked", async () => {
    const host = memoryHost({ "model.lsm": "mine" });
    const { code, err } = await lsm(["init"], { host });
    expect(code).toBe(2);
    expect(err).toBe(
      "error: model.lsm exists already\nhelp: give another name, or --force to replace it\n",
    );
    expect(host.files.get("model.lsm")).toBe("mine");
    expect((await lsm(["init", "--force"], { host })).code).toBe(0);
    expect(host.files.get("model.lsm")).toContain("model Starter");
  });
});

describe("check", () => {
  const host = () => memoryHost({ "good.lsm": good, "bad.lsm": bad, "worse.lsm": bad });

  test("says nothing of a program without mistakes", async () => {
    expect(await lsm(["check", "good.lsm"], { host: host() })).toEqual({
      code: 0,
      out: "",
      err: "",
    });
  });

  test("shows the mistakes of all files, and counts them", async () => {
    const { code, out, err } = await lsm(["check", "worse.lsm", "bad.lsm", "bad.lsm"], {
      host: host(),
    });
    expect([code, out]).toEqual([1, ""]);
    expect([...err.matchAll(/--> (\S+):2:/g)].map(([, file]) => file)).toEqual([
      "bad.lsm",
      "worse.lsm",
    ]);
    expect(err).toMatch(/\n2 errors\n$/);
  });

  test("--json", async () => {
    const { code, out, err } = await lsm(["check", "--json", "bad.lsm"], { host: host() });
    expect([code, err]).toEqual([1, ""]);
    expect(JSON.parse(out)).toMatchObject([
      { severity: "error", labels: [{ file: "bad.lsm", from: { line: 2 } }] },
    ]);
    expect((await lsm(["check", "--json", "good.lsm"], { host: host() })).out).toBe("[]\n");
  });

  test("checks the other files though one is missing", async () => {
    const { code, err } = await lsm(["check", "gone.lsm", "bad.lsm"], { host: host() });
    expect(code).toBe(3);
    expect(err).toContain("cannot read gone.lsm");
    expect(err).toContain("1 error\n");
  });

  test("in colour", async () => {
    const { err } = await lsm(["check", "bad.lsm"], { host: host(), colour: true });
    expect(err).toContain("\u001b[31m");
  });
});

describe("fmt", () => {
  const messy = "layer  Id( x:[width] ){x}";

  test("rewrites files and names those that it changed", async () => {
    const host = memoryHost({ "a.lsm": messy, "b.lsm": good });
    const first = await lsm(["fmt", "a.lsm"], { host });
    expect(first).toEqual({ code: 0, out: "a.lsm\n", err: "" });
    expect(await lsm(["fmt", "a.lsm"], { host })).toEqual({ code: 0, out: "", err: "" });
  });

  test("--check changes nothing and fails", async () => {
    const host = memoryHost({ "a.lsm": messy });
    expect(await lsm(["fmt", "--check", "a.lsm"], { host })).toEqual({
      code: 1,
      out: "a.lsm\n",
      err: "",
    });
    expect(host.files.get("a.lsm")).toBe(messy);
  });

  test("formats the standard input", async () => {
    const { code, out } = await lsm(["fmt", "-"], { stdin: messy });
    expect(code).toBe(0);
    expect(out).toMatch(/^layer Id\(x: \[width\]\) \{/);
    expect((await lsm(["fmt", "--check", "-"], { stdin: out })).code).toBe(0);
  });

  test("leaves a broken file as it is and says why", async () => {
    const host = memoryHost({ "bad.lsm": bad });
    const { code, out, err } = await lsm(["fmt", "bad.lsm"], { host });
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain("--> bad.lsm:2:");
    expect(host.files.get("bad.lsm")).toBe(bad);
    expect((await lsm(["fmt", "-"], { stdin: bad })).err).toContain("--> <stdin>:2:");
  });

  test("the starter program is formatted and without mistakes", async () => {
    const host = memoryHost();
    await lsm(["init"], { host });
    expect(await lsm(["check", "model.lsm"], { host })).toEqual({ code: 0, out: "", err: "" });
    expect(await lsm(["fmt", "--check", "model.lsm"], { host })).toEqual({
      code: 0,
      out: "",
      err: "",
    });
  });
});

describe("what the environment refuses ends with 3", () => {
  test("a missing file, with the one of a similar name", async () => {
    const host = memoryHost({ "models/gla.lsm": "" });
    const { code, err } = await lsm(["check", "models/gal.lsm"], { host });
    expect(code).toBe(3);
    expect(err).toBe(
      "error: cannot read models/gal.lsm: there is no such file\nhelp: did you mean `models/gla.lsm`?\n",
    );
  });

  test("a folder", async () => {
    const { code, err } = await lsm(["check", "models"], {
      host: memoryHost({ "models/a.lsm": "" }),
    });
    expect([code, err]).toEqual([3, "error: cannot read models: it is a folder\n"]);
  });
});

describe("an internal fault", () => {
  const broken = (error: Error) => ({
    ...memoryHost(),
    exists: () => {
      throw error;
    },
    readText: () => "layer X {\n  oops\n}\n",
  });

  test("is one clear message with no stack trace", async () => {
    const host = broken(new TypeError("no such thing\nand more"));
    const { code, out, err } = await lsm(["init"], { host });
    expect([code, out]).toEqual([70, ""]);
    expect(err).toMatch(/^internal fault: no such thing\nThis is a mistake in lsm .* report it/);
    expect(err).not.toMatch(/^\s+at /m);
  });

  test("names the place in the user's file where it is known", async () => {
    const span = { source: "a.lsm", start: 12, end: 16 };
    const { err } = await lsm(["init"], { host: broken(new Fault("cannot be", span)) });
    expect(err).toContain("while working on a.lsm:2:3\n");
    expect(err).toContain("with that file");
  });

  test("shows the stack with LSM_DEBUG=1", async () => {
    const { err } = await lsm(["init"], { host: broken(new Error("x")), env: { LSM_DEBUG: "1" } });
    expect(err).toMatch(/^\s+at /m);
  });
});
