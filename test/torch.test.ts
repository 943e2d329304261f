/**
 * The torch target on this machine's processor: every layer's emitted PyTorch against the interpreter, and the
 * runtime's own tests. Needs Python with torch (test/set-up.mjs makes .venv).
 */

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { writeTorchCases } from "./support/models/torch-cases.js";
import { required } from "./support/required.js";

const root = resolve(import.meta.dirname, "..");
const python = join(root, ".venv/bin/python");
const there = required("torch") || existsSync(python);

/** float32 against float64, as bars.md asks. */
const tolerance = 1e-4;

interface Line {
  readonly label: string;
  readonly error?: string;
  readonly values: number;
  readonly worst: string;
  readonly steps: number;
  readonly causality: number;
}

function run(...args: readonly string[]): string {
  const env = { ...process.env, LSM_KERNELS: "reference", OMP_NUM_THREADS: "1" };
  return execFileSync(python, args, { cwd: root, env, encoding: "utf8", maxBuffer: 1 << 26 });
}

describe.skipIf(!there)("emitted PyTorch", () => {
  const folder = mkdtempSync(join(tmpdir(), "lsm-torch-"));
  const labels = writeTorchCases(folder, 11);

  it("computes what the interpreter computes", () => {
    const lines = run("test/torch/conformance.py", folder)
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Line);
    expect(lines.map(({ label }) => label)).toEqual(labels);
    for (const { label, error, values, worst, steps, causality } of lines) {
      expect(error, label).toBeUndefined();
      expect(values, `${label}: ${worst}`).toBeLessThan(tolerance);
      expect(steps, `${label}: three steps`).toBeLessThan(tolerance);
      expect(causality, `${label}: causality`).toBeLessThan(1e-5);
    }
  }, 300_000);

  it("passes ruff and mypy", () => {
    symlinkSync(join(root, "runtime/torch/lsm_torch"), join(folder, "lsm_torch"));
    const inside = { cwd: folder, encoding: "utf8" } as const; // lsm_torch is the project's own there
    execFileSync(python, ["-m", "ruff", "check", "--isolated", "."], inside);
    const models = labels.map((_, i) => join(folder, `case_${i}.py`));
    const cache = join(folder, ".mypy");
    const flags = ["--follow-imports=silent", "--cache-dir", cache];
    execFileSync(python, ["-m", "mypy", ...flags, ...models], inside);
    rmSync(folder, { recursive: true });
  }, 300_000);
});
