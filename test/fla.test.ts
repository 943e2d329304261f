/**
 * Operators against the naive references of flash-linear-attention 0.5.2 on CPU: the forms the compiler chooses,
 * values and gradients, on the same random operands. Needs `.venv` with torch and fla; `LSM_REQUIRE=fla` insists.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { RandomStream } from "../runtime/random/stream.js";
import { type Found, run } from "./support/fla/cut.js";
import { operators } from "./support/fla/operators.js";
import { required } from "./support/required.js";

const python = ".venv/bin/python";
/** The references compute in float32. */
const tolerance = 1e-5;

const isThere = (): boolean =>
  spawnSync(python, [
    "-c",
    "import importlib.util as u; exit(0 if u.find_spec('torch') and u.find_spec('fla') else 1)",
  ]).status === 0;

describe.skipIf(!required("fla") && !isThere())("against flash-linear-attention", () => {
  let found: Record<string, Found> = {};
  let errors: Record<string, Record<string, number>> = {};

  beforeAll(() => {
    const random = new RandomStream(7, "fla");
    found = Object.fromEntries(
      Object.entries(operators).map(([name, operator]) => [name, run(operator, 2, 37, random)]),
    );
    const folder = mkdtempSync(join(tmpdir(), "lsm-fla-"));
    const file = join(folder, "cases.json");
    writeFileSync(file, JSON.stringify(found));
    const { stdout, stderr, status } = spawnSync(python, ["test/support/fla/compare.py", file], {
      encoding: "utf8",
    });
    rmSync(folder, { recursive: true });
    expect(status, stderr).toBe(0);
    errors = JSON.parse(stdout) as typeof errors;
  }, 240_000);

  it.each(Object.keys(operators))("%s: the same values and gradients", (name) => {
    expect(found[name]!.forms.join()).not.toContain("recurrent");
    expect(Object.keys(errors[name]!)).toHaveLength(
      Object.keys(operators[name]!.operands).length + 1,
    );
    for (const [value, error] of Object.entries(errors[name]!))
      expect(error, value).toBeLessThan(tolerance);
  });
});
