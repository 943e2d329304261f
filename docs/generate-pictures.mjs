/**
 * Draws the pictures of the documentation from the examples.
 *
 *   node docs/generate-pictures.mjs           writes them
 *   node docs/generate-pictures.mjs --check   fails when one is stale
 *
 * The command line that draws them is bundled from its source: dist/ may be older.
 */
import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const pictures = {
  "docs/moby.svg": ["examples/moby/moby.lsm"],
  "docs/pod.svg": ["examples/linear-moe/a1b-7b.lsm", "--view", "mesh"],
};

const cache = join(root, "node_modules", ".cache");
mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(join(cache, "pictures-"));
try {
  const program = join(folder, "lsm.js");
  await build({
    absWorkingDir: root,
    entryPoints: ["compiler/cli/main.ts"],
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    outfile: program,
    logLevel: "warning",
  });
  cpSync(join(root, "stdlib"), join(folder, "stdlib"), { recursive: true });
  for (const [picture, flags] of Object.entries(pictures)) {
    const drawn = join(folder, "picture.svg");
    execFileSync(process.execPath, [program, "diagram", ...flags, "--out", drawn, "--force"], {
      cwd: root,
      stdio: ["ignore", "ignore", "inherit"],
    });
    const path = join(root, picture);
    const text = readFileSync(drawn, "utf8");
    if (!process.argv.includes("--check")) writeFileSync(path, text);
    else if (!existsSync(path) || readFileSync(path, "utf8") !== text) {
      console.error(`${picture} is stale: run npm run pictures`);
      process.exitCode = 1;
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
