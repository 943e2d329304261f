/** Lint and format of the Python: the runtime, its tests, and what is emitted beside an example. Needs .venv (test/set-up.mjs). */

import { spawnSync } from "node:child_process";

const folders = ["runtime/torch", "test/torch", "test/gpu", "examples"];
for (const command of [["check"], ["format", "--check"]]) {
  const ruff = ["-m", "ruff", ...command, ...folders];
  const { status, error } = spawnSync(".venv/bin/python", ruff, { stdio: "inherit" });
  if (error)
    process.stderr.write("there is no .venv: LSM_REQUIRE=torch node test/set-up.mjs makes it\n");
  if (status !== 0) process.exitCode = 1;
}
