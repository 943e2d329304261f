/**
 * Builds the VS Code client into grammar/vscode/dist: the extension in one file, the TextMate grammar, and lsm
 * itself with its library, so that the extension needs nothing beside it.
 *
 *   npm run vscode
 */
import { build } from "esbuild";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const here = import.meta.dirname;
const dist = join(here, "dist");
const lsm = join(here, "../../dist");

if (!existsSync(join(lsm, "lsm.js"))) {
  console.error("dist/lsm.js is missing: run npm run build first");
  process.exit(1);
}
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);

await build({
  entryPoints: [join(here, "extension.ts")],
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20.19",
  external: ["vscode"], // the editor's own
  outfile: join(dist, "extension.cjs"),
  legalComments: "none",
  minify: true,
});
cpSync(join(here, "../highlight.generated.json"), join(dist, "lsm.tmLanguage.json"));
await bundleServer();

/** The server alone, with all packages inside: what trains and draws stays behind. */
async function bundleServer() {
  await build({
    entryPoints: [join(here, "server.ts")],
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20.19",
    outfile: join(dist, "server/lsm.js"),
    banner: {
      js: 'import { createRequire as $createRequire } from "node:module"; const require = $createRequire(import.meta.url);',
    },
    legalComments: "none",
    minify: true,
  });
  mkdirSync(join(dist, "server/stdlib"));
  for (const name of readdirSync(join(lsm, "stdlib")))
    cpSync(join(lsm, "stdlib", name), join(dist, "server/stdlib", name));
}
