/**
 * `node test/bench/train-step.mjs [--quick] [--only gla-1m,…] [--peers wasm,torch,…] [--rounds N] [--threads N]`:
 * bundles the peers of train-step/ and runs them against each other; the last lines are the table.
 */

import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { build } from "esbuild";

const folder = `node_modules/.cache/lsm/train-step-${process.pid}`;
mkdirSync(folder, { recursive: true });
await build({
  entryPoints: ["run", "compiled", "plain-tfjs"].map((name) => `test/bench/train-step/${name}.ts`),
  outdir: folder,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  format: "esm",
  platform: "node",
  packages: "external",
  logLevel: "error",
});
const { status } = spawnSync(process.execPath, [`${folder}/run.mjs`, ...process.argv.slice(2)], {
  stdio: "inherit",
  env: { ...process.env, LSM_BENCH_BUNDLES: folder },
});
rmSync(folder, { recursive: true });
process.exit(status ?? 1);
