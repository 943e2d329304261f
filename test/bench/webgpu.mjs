/**
 * `node test/bench/webgpu.mjs [MODEL …]`: a whole training step as one command buffer beside the same step op by
 * op on tfjs-backend-webgpu, on the adapter that is here. Needs `npm install --no-save webgpu@0.6.2`; without a
 * GPU set VK_DRIVER_FILES to SwiftShader's and ask for `tiny`. `--built FILE` runs a bundle made before.
 */

import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";

const given = process.argv.slice(2);
const at = given.indexOf("--built");
const built = at < 0 ? null : given.splice(at, 2)[1];
const profile =
  given.includes("--profile") && given.splice(given.indexOf("--profile"), 1).length > 0;
const models = given.length > 0 ? given : ["moby", "recall"];
const folder = "node_modules/.cache/lsm";
const outfile = built ?? `${folder}/webgpu-${process.pid}.mjs`;
if (!built) {
  const { build } = await import("esbuild");
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: ["test/bench/webgpu.ts"],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    logLevel: "error",
  });
}

/** One side's line; what went wrong is shown and ends the bench. */
function measure(side, model, steps) {
  const { status, stdout } = spawnSync(
    process.execPath,
    [outfile, side, model, String(steps), profile ? "profile" : ""],
    {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const line = stdout.split("\n").find((one) => one.startsWith("{"));
  if (status !== 0 || !line) throw new Error(`${side} ${model} ended with ${status}:\n${stdout}`);
  return JSON.parse(line);
}

/** The kernels that take longest, all their runs of a step together. */
function showProfile(times) {
  const rows = Object.entries(times).map(([name, all]) => ({
    name,
    runs: all.length,
    total: all.reduce((sum, one) => sum + one, 0),
  }));
  const total = rows.reduce((sum, row) => sum + row.total, 0);
  console.log(`  each kernel by itself: ${total.toFixed(2)} ms`);
  for (const row of rows.sort((a, b) => b.total - a.total).slice(0, 25))
    console.log(`    ${row.total.toFixed(3)} ms  ${row.runs} × ${row.name.slice(0, 110)}`);
}

const ms = (value) => `${value.toFixed(2)} ms`.padStart(11);
for (const model of models) {
  const ours = measure("recorded", model, 100);
  console.log(
    `${model}: ${ours.parameters} parameters, ${ours.tokens} tokens a step; ${ours.adapter.replace(/: as asked$/, "")}`,
  );
  const { kernels, bytes, peak } = ours.replay;
  const mega = (value) => (value / 1e6).toFixed(1);
  console.log(
    `  one command buffer of ${kernels} kernels, ${mega(bytes)} MB where ${mega(peak)} MB are alive at most`,
  );
  console.log(`  recorded  ${ms(ours.ms)}  (the first step, with all compiling: ${ours.first} ms)`);
  if (profile) showProfile(ours.replay.profile);
  const theirs = measure("op-by-op", model, 4);
  console.log(`  op by op  ${ms(theirs.ms)}  (the first step: ${theirs.first} ms)`);
  console.log(`  ratio     ${(theirs.ms / ours.ms).toFixed(1)}×`);
  const apart = ours.losses.map((loss, i) => Math.abs(loss - theirs.losses[i]) / loss);
  console.log(
    `  losses    ${ours.losses.map((loss) => loss.toFixed(5)).join(", ")}; at most ${Math.max(...apart).toExponential(1)} apart`,
  );
  if (!(Math.max(...apart) < 1e-3))
    throw new Error(`${model}: the two sides do not compute the same`);
}
if (!built) rmSync(outfile);
