/**
 * Operators against the naive references of flash-linear-attention 0.5.2 on CPU: the forms the compiler chooses,
 * values and gradients, on the same random operands. Needs `.venv` with torch and fla; `LSM_REQUIRE=fla` insists.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { RandomStream } from "../runtime/random/stream.js";
import { run } from "./support/fla/cut.js";
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
  it("gives the same values and gradients", { timeout: 120_000 }, () => {
    const random = new RandomStream(7, "fla");
    const found = Object.fromEntries(
      Object.entries(operators).map(([name, operator]) => [name, run(operator, 2, 37, random)]),
    );
    expect(
      Object.values(found)
        .flatMap(({ forms }) => forms)
        .join(),
    ).not.toContain("recurrent");
    const folder = mkdtempSync(join(tmpdir(), "lsm-fla-"));
    const file = join(folder, "cases.json");
    writeFileSync(file, JSON.stringify(found));
    const { stdout, stderr, status } = spawnSync(python, ["test/support/fla/compare.py", file], {
      encoding: "utf8",
    });
    rmSync(folder, { recursive: true });
    expect(status, stderr).toBe(0);
    const errors = JSON.parse(stdout) as Record<string, Record<string, number>>;
    expect(Object.keys(errors)).toEqual(Object.keys(operators));
    for (const [name, each] of Object.entries(errors))
      for (const [value, error] of Object.entries(each))
        expect(error, `${name}: ${value}`).toBeLessThan(tolerance);
  });
});
