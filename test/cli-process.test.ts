/** What only a real process shows: the bundle, streams that close or fill up, files on a real disk. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nodeHost } from "../compiler/cli/node-host.js";
import { version } from "../compiler/cli/version.js";
import { HostError } from "../compiler/host.js";

const root = join(import.meta.dirname, "..");
const program = join(root, "dist/lsm.js");
const folder = mkdtempSync(join(tmpdir(), "lsm-cli-"));
const { NO_COLOR: _no, FORCE_COLOR: _force, ...env } = process.env;

beforeAll(() => void execFileSync("node", ["build.mjs"], { cwd: root }));
afterAll(() => rmSync(folder, { recursive: true }));

const shell = (command: string, more: Record<string, string> = {}) =>
  spawnSync("bash", ["-c", `set -o pipefail; ${command}`], {
    cwd: folder,
    encoding: "utf8",
    env: { ...env, ...more, LSM: program },
  });

describe("the program", () => {
  test("runs by itself and through npx", () => {
    expect(execFileSync(program, ["--version"], { encoding: "utf8" })).toBe(`${version}\n`);
    expect(execFileSync("npx", ["lsm", "--version"], { cwd: root, encoding: "utf8" })).toBe(
      `${version}\n`,
    );
  });

  test("loads no parser, no formatter and no backend to print its version", () => {
    const bundle = readFileSync(program, "utf8");
    expect(bundle).not.toMatch(/^import .*"(?:chevrotain|prettier|ts-morph|@tensorflow\/.*)"/m);
  });

  test("hands its exit code to the shell", () => {
    writeFileSync(join(folder, "bad.lsm"), "layer Id(x: [width]) {\n  x = )\n}\n");
    expect(shell("$LSM check bad.lsm").status).toBe(1);
    expect(shell("$LSM chekc").status).toBe(2);
    expect(shell("$LSM check gone.lsm").status).toBe(3);
  });
});

describe("colour", () => {
  const escape = "\u001b[";

  test("only when asked for where the output is no terminal", () => {
    expect(shell("$LSM check bad.lsm").stderr).not.toContain(escape);
    expect(shell("$LSM check bad.lsm", { FORCE_COLOR: "1" }).stderr).toContain(escape);
    expect(shell("$LSM check bad.lsm", { FORCE_COLOR: "0" }).stderr).not.toContain(escape);
  });

  test("never with NO_COLOR", () => {
    const { stderr } = shell("$LSM check bad.lsm", { FORCE_COLOR: "1", NO_COLOR: "1" });
    expect(stderr).not.toContain(escape);
  });
});

describe("streams", () => {
  test("a reader that goes away is no failure", () => {
    const { status, stderr } = shell("$LSM explain | head -1");
    expect([status, stderr]).toEqual([0, ""]);
  });

  test.skipIf(!existsSync("/dev/full"))("an output that cannot be written ends with 3", () => {
    const { status, stderr } = shell("$LSM explain > /dev/full");
    expect(status).toBe(3);
    expect(stderr).toContain("error: cannot write the output: ");
  });

  test("large output arrives whole", () => {
    const direct = shell("$LSM explain --json").stdout;
    expect(shell("$LSM explain --json | cat").stdout).toBe(direct);
    expect(() => JSON.parse(direct) as unknown).not.toThrow();
  });
});

describe("the host on a disk", () => {
  const host = nodeHost(folder);
  const failure = (action: () => unknown) => {
    try {
      action();
    } catch (error) {
      return error instanceof HostError ? error.kind : error;
    }
    return "nothing";
  };

  test.skipIf(!existsSync("/proc"))("gives up where no folder can be made", () => {
    expect(failure(() => host.writeText("/proc/lsm/made/a.txt", ""))).toBe("missing");
  });

  test("writes whole files, makes folders and leaves nothing else behind", () => {
    host.writeText("new/deep/a.lsm", "é\n");
    host.writeText("new/deep/a.lsm", "ü\n");
    expect(host.readText("new/deep/a.lsm")).toBe("ü\n");
    expect(readdirSync(join(folder, "new/deep"))).toEqual(["a.lsm"]);
    expect(host.list("new")).toEqual(["deep/"]);
  });

  test("keeps a file's mode, and a link a link", () => {
    host.writeText("real.lsm", "1");
    chmodSync(join(folder, "real.lsm"), 0o600);
    symlinkSync("real.lsm", join(folder, "link.lsm"));
    host.writeText("link.lsm", "2");
    expect(host.readText("real.lsm")).toBe("2");
    expect(statSync(join(folder, "real.lsm")).mode & 0o777).toBe(0o600);
  });

  test("says why it cannot", () => {
    writeFileSync(join(folder, "binary.lsm"), new Uint8Array([0xff, 0xfe, 0]));
    expect(failure(() => host.readText("gone.lsm"))).toBe("missing");
    expect(failure(() => host.readText("new"))).toBe("folder");
    expect(failure(() => host.readText("binary.lsm"))).toBe("not-text");
    expect(failure(() => host.writeText("new", "x"))).toBe("folder");
    expect(failure(() => host.writeText("real.lsm/x.lsm", "x"))).toBe("missing");
    expect(failure(() => host.list("gone"))).toBe("missing");
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("resolves the paths in a file from that file", () => {
    expect(host.resolve("models/a.lsm", "../layers.lsm")).toBe("layers.lsm");
    expect(host.resolve("a.lsm", "/abs.lsm")).toBe("/abs.lsm");
  });

  test("has the standard library", () => {
    const names = readdirSync(join(root, "stdlib")).filter((name) => name.endsWith(".lsm"));
    expect(host.library().map(({ path }) => path)).toEqual(
      names.sort().map((name) => `stdlib/${name}`),
    );
  });
});
