/**
 * `lsm import`: models of flash-linear-attention and of transformers as they are saved, whose logits the interpreter then
 * computes. Theirs come from their own programs, FLA's on its naive recurrences. Needs `.venv` with torch, transformers and fla; `LSM_REQUIRE=fla` insists.
 */

import { execFileSync, spawnSync, type SpawnSyncReturns } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { models } from "../compiler/interchange/read.js";
import { readCheckpoint } from "../runtime/checkpoint/checkpoint.node.js";
import { logitsOf } from "./support/logits.js";
import { required } from "./support/required.js";

const root = resolve(import.meta.dirname, "..");
const python = join(root, ".venv/bin/python");
const find = "import importlib.util as u; exit(0 if u.find_spec('fla') else 1)";
const there =
  required("fla") || (existsSync(python) && spawnSync(python, ["-c", find]).status === 0);

/** Those of test/torch/imported.py. */
const names = [
  "llama",
  "mistral",
  "qwen2",
  "qwen3",
  "mamba-transformers",
  "mamba2-transformers",
  "gla",
  "gla-hybrid",
  "delta",
  "delta-negative",
  "gated-delta",
  "delta-product",
  "retnet",
  "linear",
  "gsa",
  "hgrn2",
  "hgrn2-unbound",
  "kda",
  "transformer",
  "transformer-normed",
  "mamba",
  "mamba2",
  "samba",
  "rwkv6",
  "rwkv7",
];

interface Expected {
  readonly ids: readonly number[];
  readonly logits: readonly number[];
}

describe.skipIf(!there)("lsm import", () => {
  const folder = mkdtempSync(join(tmpdir(), "lsm-import-"));
  const lsm = (...args: readonly string[]): SpawnSyncReturns<string> =>
    spawnSync(process.execPath, ["dist/lsm.js", ...args], { cwd: root, encoding: "utf8" });
  const run = (name: string): string => join(folder, name, "run");
  let expected: Record<string, Expected> = {};

  beforeAll(() => {
    const env = { ...process.env, OMP_NUM_THREADS: "1", PYTHONDONTWRITEBYTECODE: "1" };
    const options = { cwd: root, env, encoding: "utf8", maxBuffer: 1 << 26 } as const;
    const text = execFileSync(python, ["test/torch/imported.py", folder], options);
    expected = JSON.parse(text.trim().split("\n").at(-1)!) as typeof expected;
  }, 240_000);
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it("is tried with every model that it knows", () => {
    expect(Object.keys(expected)).toEqual(names);
    const types = names.map(
      (name) =>
        (
          JSON.parse(readFileSync(join(folder, name, "config.json"), "utf8")) as {
            model_type: string;
          }
        ).model_type,
    );
    expect([...new Set(types)].sort()).toEqual(Object.keys(models).sort());
  });

  it.each(names)("%s: the same logits", async (name) => {
    const { status, stderr } = lsm("import", join(folder, name), "--out", run(name));
    expect(status, stderr).toBe(0);
    const path = join(run(name), "checkpoints", "step-00000000.safetensors");
    const found = logitsOf(await readCheckpoint(path), expected[name]!.ids);
    const square = (values: readonly number[]): number => values.reduce((sum, x) => sum + x * x, 0);
    const off = expected[name]!.logits.map((x, i) => x - found[i]!);
    expect(found).toHaveLength(off.length);
    expect(Math.sqrt(square(off) / square(expected[name]!.logits))).toBeLessThan(1e-5);
  });
});
