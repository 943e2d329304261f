/**
 * Bundles lsm into dist/: the command line, what emitted trainers import, and the standard library.
 *
 * Heavy commands become chunks of their own, so that `lsm check` never loads what only `lsm train` needs.
 * npm dependencies stay imports, but for the few that most commands need: their hundreds of modules load
 * several times faster from one file. Runs after `npm ci` (as `prepare`), and as `npm run build`.
 */
import { build } from "esbuild";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const root = import.meta.dirname;
const dist = join(root, "dist");
const program = join(dist, "lsm.js");

const bundled = new Set([
  "chevrotain",
  "commander",
  "picocolors",
  "vscode-languageserver",
  "vscode-languageserver/node",
  "vscode-languageserver-textdocument",
  "vscode-languageserver-types",
]);
const entries = {
  lsm: "compiler/cli/main.ts",
  "runtime-tfjs": "runtime/tfjs/index.ts",
  "prettier-plugin": "grammar/prettier-plugin.ts",
  "live-worker": "runtime/live/worker.node.ts",
};
const present = Object.entries(entries).filter(([, source]) => existsSync(join(root, source)));

const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: Object.fromEntries(present),
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  plugins: [{ name: "packages", setup: keepPackagesOutside }],
  // commander is CommonJS: inside the bundle it still asks for Node's modules with require().
  banner: {
    js: 'import { createRequire as $createRequire } from "node:module"; const require = $createRequire(import.meta.url);',
  },
  outdir: dist,
  chunkNames: "chunks/[name]-[hash]",
  sourcemap: "linked",
  legalComments: "none",
  logLevel: "warning",
  write: false,
});

// The training page, which a browser loads from the server of `lsm ui`.
const page = await build({
  absWorkingDir: root,
  entryPoints: { page: "runtime/live/page/main.ts", style: "runtime/live/page/page.css" },
  bundle: true,
  format: "esm",
  platform: "browser",
  target: ["chrome123", "firefox120", "safari17.5"],
  minify: true,
  outdir: join(dist, "live"),
  logLevel: "warning",
  write: false,
});

const written = new Set();
for (const { path, contents } of [...outputFiles, ...page.outputFiles])
  replace(path, contents, path === program ? 0o755 : 0o644);
for (const name of readdirSync(join(root, "stdlib")).filter((file) => file.endsWith(".lsm"))) {
  replace(join(dist, "stdlib", name), readFileSync(join(root, "stdlib", name)));
}
replace(join(dist, "live/index.html"), readFileSync(join(root, "runtime/live/page/index.html")));
for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name);
  if (entry.isFile() && !written.has(path)) rmSync(path);
}
linkProgram();

/** Names of packages stay imports, except in what is bundled anyway, which brings its own packages along. */
function keepPackagesOutside({ onResolve }) {
  onResolve({ filter: /^[^./]/ }, ({ path, kind, importer }) =>
    kind === "entry-point" || bundled.has(path) || importer.includes("node_modules")
      ? undefined
      : { path, external: true },
  );
}

/** A program that is running, or started while this runs, never sees half a file. */
function replace(path, contents, mode = 0o644) {
  written.add(path);
  if (existsSync(path) && readFileSync(path).equals(contents)) return;
  mkdirSync(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}.tmp`;
  writeFileSync(partial, contents, { mode });
  renameSync(partial, path);
}

/**
 * Makes `npx lsm` run what was just built. package.json names no `bin`: with one, npx would install the
 * repository into its own cache, which takes twice as long on every call and stays broken for good when
 * the first call is interrupted.
 */
function linkProgram() {
  const bin = join(root, "node_modules", ".bin");
  if (!existsSync(bin) || process.platform === "win32") return;
  const link = join(bin, "lsm");
  rmSync(link, { force: true });
  symlinkSync(relative(resolve(bin), program), link);
}
