/** Writes a PyTorch project: the emitted files, the program, and the runtime they import. */

import { cpSync } from "node:fs";
import { dirname, join } from "node:path";
import { torchProject } from "../../6-emit/torch/project.js";
import type { Training } from "../../1-check/blocks/training.js";
import type { Checked } from "../../1-check/check.js";
import { resolvedSource } from "../resolved-source.js";
import type { Session } from "../session.js";
import { type Overrides, settingsOf } from "../train/settings.js";
import { version } from "../version.js";
import { packageRoot } from "./package-root.js";
import { pathFrom, stemOf } from "./paths.js";

const none: Overrides = { steps: null, seed: null };

/** `wrote` hears of every file, and of the runtime's folder. */
export function writeTorchProject(
  checked: Checked,
  training: Training,
  out: string,
  { host }: Pick<Session, "host">,
  wrote: (path: string) => void,
  overrides: Overrides = none,
): void {
  const source = `${stemOf(checked.path)}.lsm`;
  const settings = settingsOf(training, overrides);
  const { name: _name, doc: _doc, ...data } = training.data;
  const files = torchProject({
    model: checked.models.get(training.model)!,
    settings: { ...settings, data } as typeof settings,
    batch: training.batch,
    precision: training.precision === "fp32" ? "fp32" : "bf16",
    source,
    data: pathFrom(out, dirname(checked.path)),
    compiler: version,
  });
  const folder = out.replace(/\/+$/, "");
  for (const { name, text } of [...files, { name: source, text: resolvedSource(checked) }]) {
    host.writeText(`${folder}/${name}`, text);
    wrote(`${folder}/${name}`);
  }
  const runtime = join(packageRoot(), "runtime", "torch", "lsm_torch");
  const isSource = (path: string): boolean => !path.includes("__pycache__");
  cpSync(runtime, `${folder}/lsm_torch`, { recursive: true, filter: isSource });
  wrote(`${folder}/lsm_torch/`);
}
