/** An emitted trainer as a program of its own: flags, the program's text, exit codes. */

import { realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { RunError } from "../../run/errors.js";
import { type BackendName, backendNames } from "../backends/candidate.js";
import { openRun } from "./open-run.node.js";
import { runTraining } from "./run.node.js";
import type { TrainSettings } from "./settings.js";
import type { Trainable } from "./trainable.js";

/** Paths from the trainer's own folder. */
export interface MainFiles {
  /** The `.lsm` file, which every checkpoint carries. */
  readonly source: string;
  /** The folder that relative paths of the data start from. */
  readonly data: string;
}

const usage = `usage: node trainer.js [--out DIR] [--resume] [--backend ${backendNames.join("|")}]\n`;

/** Trains when Node was started with the file at `url`; does nothing when something else imports it. */
export async function runAsMain(
  url: string,
  trainable: Trainable,
  settings: TrainSettings,
  files: MainFiles,
): Promise<void> {
  const started = process.argv[1];
  const own = fileURLToPath(url);
  if (started === undefined || realpathSync(started) !== realpathSync(own)) return;
  let code: number;
  try {
    code = await train(dirname(own), trainable, settings, files);
  } catch (error) {
    if (error instanceof RunError) code = 3;
    else if (isUsage(error)) code = 2;
    else throw error;
    process.stderr.write(`${error.message}\n${error instanceof RunError ? "" : usage}`);
  }
  // once all is written: a backend's worker threads would keep the process alive
  process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
}

async function train(
  folder: string,
  trainable: Trainable,
  settings: TrainSettings,
  { source, data }: MainFiles,
): Promise<number> {
  const { values } = parseArgs({
    options: {
      out: { type: "string" },
      resume: { type: "boolean", default: false },
      backend: { type: "string" },
    },
  });
  const { out = null, resume, backend } = values;
  const run = await openRun({ name: settings.name, out, resume: resume ? "auto" : null });
  const result = await runTraining(trainable, settings, {
    source: await readFile(join(folder, source), "utf8"),
    base: join(folder, data),
    run,
    ...(backend !== undefined && { backend: backend as BackendName }),
  });
  return result.exitCode;
}

const isUsage = (error: unknown): error is Error =>
  error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
