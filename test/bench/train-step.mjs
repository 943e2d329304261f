/** `node test/bench/train-step.mjs [T] [width]`: bundles and runs train-step.ts. */

import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { build } from "esbuild";

const folder = "node_modules/.cache/lsm";
mkdirSync(folder, { recursive: true });
const outfile = `${folder}/train-step-${process.pid}.mjs`;
await build({
  entryPoints: ["test/bench/train-step.ts"],
  outfile,
  bundle: true,
  format: "esm",
  platform: "node",
  packages: "external",
  logLevel: "error",
});
const { status } = spawnSync(process.execPath, [outfile, ...process.argv.slice(2)], {
  stdio: "inherit",
});
rmSync(outfile);
process.exit(status ?? 1);
