/**
 * The trainer that a run consists of: emitted into the run's folder, then loaded from there, so that what
 * lies on disk is what ran.
 */

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { transform } from "esbuild";
import { writeAtomically } from "../../../runtime/run/files.node.js";
import type { Trainable } from "../../../runtime/tfjs/train/trainable.js";
import type { Training } from "../../1-check/blocks/training.js";
import type { Checked } from "../../1-check/check.js";
import type { TrainingStages } from "../../compile.js";
import { packageRoot } from "../build/package-root.js";
import { pathFrom } from "../build/paths.js";
import { trainerText } from "../build/trainer.js";
import type { Overrides } from "./settings.js";

/** Writes `trainer.ts` into a run's folder and gives what it exports. */
export async function emittedTrainable(
  checked: Checked,
  training: Training,
  overrides: Overrides,
  programs: TrainingStages,
  folder: string,
): Promise<Trainable> {
  const place = { source: "model.lsm", data: pathFrom(folder, dirname(checked.path)) };
  const text = await trainerText(checked, training, place, { overrides, programs });
  const path = join(folder, "trainer.ts");
  await writeAtomically(path, [text]);
  return load(path);
}

/** Imports a trainer with this very runtime behind "lsm/runtime/tfjs". */
async function load(path: string): Promise<Trainable> {
  const { code } = await transform(await readFile(path, "utf8"), { loader: "ts", format: "esm" });
  const runtime = pathToFileURL(join(packageRoot(), "dist", "runtime-tfjs.js")).href;
  const linked = code.replace(
    /(from\s*)"lsm\/runtime\/tfjs"/g,
    (_, from: string) => `${from}${JSON.stringify(runtime)}`,
  );
  const scratch = await mkdtemp(join(tmpdir(), "lsm-trainer-"));
  try {
    const module = join(scratch, "trainer.mjs");
    await writeFile(module, linked);
    const loaded = (await import(pathToFileURL(module).href)) as { readonly trainable: Trainable };
    return loaded.trainable;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
