/**
 * How long `lsm check` takes in a fresh process, for a published model and for long files.
 *
 *   node build.mjs && node test/bench/check.mjs [RUNS]
 *
 * The last lines are the table: medians of wall time, start-up included. The bars: the A1B-7B file within
 * 0.5 s, and a file of 10 000 lines in proportion to one of 2 500 (a ratio of 4, or less, since start-up
 * counts in both).
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
const runs = Number(process.argv[2] ?? 9);
const folder = mkdtempSync(join(tmpdir(), "lsm-check-"));

/** A program of about so many lines: layers of its own, and a model for every eight of them. */
function program(lines) {
  const gla = readFileSync(join(root, "stdlib/gla.lsm"), "utf8");
  const parts = [];
  for (let count = 0, i = 0; count < lines; i += 1) {
    parts.push(gla.replace("layer GLA(", `layer Own${i}(`));
    if (i % 8 === 7)
      parts.push(
        `model Model${i} {\n  L = Block(Own${i}(heads: 4), MoE(experts: 8, top_k: 2, hidden: 64))\n` +
          `  language_model(vocab: 256, width: 64, blocks: [L] * 4)\n}\n`,
      );
    count = parts.join("").split("\n").length;
  }
  return parts.join("\n");
}

function median(file) {
  const times = Array.from({ length: runs }, () => {
    const start = performance.now();
    execFileSync(process.execPath, [join(root, "dist/lsm.js"), "check", file], {
      stdio: "inherit",
    });
    return (performance.now() - start) / 1000;
  });
  return times.sort((a, b) => a - b)[Math.floor(runs / 2)];
}

function long(lines) {
  const file = join(folder, `${lines}.lsm`);
  writeFileSync(file, program(lines));
  return file;
}

try {
  const rows = [
    ["examples/linear-moe/a1b-7b.lsm", join(root, "examples/linear-moe/a1b-7b.lsm")],
    ["examples/linear-moe/a03b-2b.lsm", join(root, "examples/linear-moe/a03b-2b.lsm")],
    ["2 500 lines", long(2500)],
    ["10 000 lines", long(10000)],
  ].map(([name, file]) => [name, median(file)]);
  const ratio = rows[3][1] / rows[2][1];
  console.log(`lsm check, fresh process, median of ${runs}`);
  for (const [name, seconds] of rows) console.log(`${name.padEnd(34)} ${seconds.toFixed(3)} s`);
  console.log(`${"10 000 lines / 2 500 lines".padEnd(34)} ${ratio.toFixed(2)}`);
} finally {
  rmSync(folder, { recursive: true });
}
