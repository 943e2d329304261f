/**
 * Writes the TextMate grammar that `highlight.ts` makes from the token table.
 *
 *   node grammar/generate-highlight.mjs           writes highlight.generated.json
 *   node grammar/generate-highlight.mjs --check   fails when it is stale
 */
import { build } from "esbuild";
import { format } from "prettier";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const entry = fileURLToPath(new URL("highlight.ts", import.meta.url));
const path = fileURLToPath(new URL("highlight.generated.json", import.meta.url));

const { outputFiles } = await build({
  entryPoints: [entry],
  bundle: true,
  format: "esm",
  write: false,
});
const { highlighting } = await import(
  `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`
);
const text = await format(JSON.stringify(highlighting()), { parser: "json", printWidth: 100 });

if (!process.argv.includes("--check")) {
  writeFileSync(path, text);
} else if (!existsSync(path) || readFileSync(path, "utf8") !== text) {
  console.error(
    "grammar/highlight.generated.json is stale: run node grammar/generate-highlight.mjs",
  );
  process.exitCode = 1;
}
