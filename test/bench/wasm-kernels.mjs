/**
 * Our WebAssembly kernels beside tfjs's own wasm ops, in one run: `node test/bench/wasm-kernels.mjs [filter]`.
 *
 * Each pair is timed in turns, the best of several rounds, so that a busy machine disturbs both alike. The
 * column "ours" and "tfjs" are GFLOP/s or GB/s (bytes that must be read and written once); "µs" is one call of ours.
 */
import { build } from "esbuild";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const root = join(import.meta.dirname, "..", "..");
// Inside the project, so that the bundle finds its packages.
const folder = mkdtempSync(join(root, "node_modules", ".bench-"));
try {
  const outfile = join(folder, "bench.mjs");
  await build({
    entryPoints: [join(import.meta.dirname, "wasm-kernels.ts")],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    logLevel: "warning",
  });
  const { run } = await import(pathToFileURL(outfile).href);
  await run(process.argv[2] ?? "", console.log);
} finally {
  rmSync(folder, { recursive: true });
}
