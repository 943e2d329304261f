/** Writes a PyTorch project: the emitted files, the program, and the runtime they import. */

import { cpSync } from "node:fs";
import { dirname, join } from "node:path";
import { type ProjectFile, torchProject } from "../../6-emit/torch/project.js";
import type { Training } from "../../1-check/blocks/training.js";
import type { Checked } from "../../1-check/check.js";
import { resolvedSource } from "../resolved-source.js";
import type { Session } from "../session.js";
import { settingsOf } from "../train/settings.js";
import { version } from "../version.js";
import { packageRoot } from "./package-root.js";
import { pathFrom, stemOf } from "./paths.js";

/** What is written for a training into the folder `out`, but for the runtime. */
export function torchFiles(
  checked: Checked,
  training: Training,
  out: string,
): readonly ProjectFile[] {
  const source = `${stemOf(checked.path)}.lsm`;
  const settings = settingsOf(training, { steps: null, seed: null });
  const { name: _name, doc: _doc, ...data } = training.data;
  const files = torchProject({
    model: checked.models.get(training.model)!,
    settings: { ...settings, data, sample: training.sample } as typeof settings,
    batch: training.batch,
    precision: training.precision === "fp32" ? "fp32" : "bf16",
    source,
    data: pathFrom(out, dirname(checked.path)),
    compiler: version,
  });
  return [...files, { name: source, text: resolvedSource(checked) }];
}

/** `wrote` hears of every file, and of the runtime's folder. */
export function writeTorchProject(
  checked: Checked,
  training: Training,
  out: string,
  { host }: Pick<Session, "host">,
  wrote: (path: string) => void,
): void {
  const folder = out.replace(/\/+$/, "");
  for (const { name, text } of torchFiles(checked, training, out)) {
    host.writeText(`${folder}/${name}`, text);
    wrote(`${folder}/${name}`);
  }
  const runtime = join(packageRoot(), "runtime", "torch", "lsm_torch");
  const isSource = (path: string): boolean => !path.includes("__pycache__");
  cpSync(runtime, `${folder}/lsm_torch`, { recursive: true, filter: isSource });
  wrote(`${folder}/lsm_torch/`);
}
