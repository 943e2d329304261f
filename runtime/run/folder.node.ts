/** The folder of a run: chosen so that nothing is ever written over, and what lies where inside it. */

import { mkdir, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { RunError } from "./errors.js";
import { onFile, orIfMissing } from "./files.node.js";

export interface RunFolder {
  readonly path: string;
  /** True when it was there before and the run is to go on. */
  readonly resumed: boolean;
  /** What to tell the user about the choice, if it is not the plain one. */
  readonly note: string | null;
}

export interface RunFolderOptions {
  /** The run's name; its folder is `<parent>/<name>`. */
  readonly name: string;
  /** Default `runs`. */
  readonly parent?: string;
  /** The folder itself (`--out`), in place of parent and name. */
  readonly out?: string | null;
  /** Goes on in the newest folder of that name, if there is one. */
  readonly resume?: boolean;
}

/**
 * Makes or finds the run's folder. A new run beside an old one of its name becomes `<name>-2`, `<name>-3`, …
 *
 * @throws RunError `run-folder-not-empty` when `out` holds something and `resume` was not asked for; `file-access`
 */
export async function openRunFolder({
  name,
  parent = "runs",
  out = null,
  resume = false,
}: RunFolderOptions): Promise<RunFolder> {
  if (out !== null) return openGiven(out, resume);
  const numbers = await takenNumbers(parent, name);
  const pathOf = (n: number) => join(parent, n === 1 ? name : `${name}-${n}`);
  const newest = numbers.at(-1);
  if (resume && newest !== undefined) {
    const note = newest === 1 ? null : `resuming ${pathOf(newest)}, the newest run of that name`;
    return { path: pathOf(newest), resumed: true, note };
  }
  await onFile("make the folder", parent, () => mkdir(parent, { recursive: true }));
  for (let n = (newest ?? 0) + 1; ; n++) {
    if (!(await makeNew(pathOf(n)))) continue; // another run was quicker
    const note = n === 1 ? null : `${pathOf(1)} exists already, so this run goes to ${pathOf(n)}`;
    return { path: pathOf(n), resumed: false, note };
  }
}

/** Where things lie in a run's folder. */
export function runFiles(folder: string) {
  return {
    source: join(folder, "model.lsm"),
    config: join(folder, "config.json"),
    metrics: join(folder, "metrics.jsonl"),
    loss: join(folder, "loss.svg"),
    samples: join(folder, "samples.jsonl"),
    checkpoints: join(folder, "checkpoints"),
  } as const;
}

/** The run's folder for a checkpoint's path. */
export function runFolderOf(checkpoint: string): string {
  return dirname(dirname(checkpoint));
}

async function openGiven(path: string, resume: boolean): Promise<RunFolder> {
  await onFile("make the folder", path, () => mkdir(path, { recursive: true }));
  const contents = await onFile("list the folder", path, () => readdir(path));
  if (contents.length === 0 || resume) return { path, resumed: contents.length > 0, note: null };
  throw new RunError({
    code: "run-folder-not-empty",
    what: "the folder for the run is not empty",
    where: path,
    help: "give another --out, or add --resume to go on with the run inside",
  });
}

/** The numbers of the runs of this name, rising: 1 for `<name>` itself. */
async function takenNumbers(parent: string, name: string): Promise<number[]> {
  const entries = await onFile("list the folder", parent, () => orIfMissing(readdir(parent), []));
  const numbers = entries.flatMap((entry) => {
    if (entry === name) return [1];
    const suffix = entry.startsWith(`${name}-`) ? entry.slice(name.length + 1) : "";
    return /^[1-9]\d{0,8}$/.test(suffix) && suffix !== "1" ? [Number(suffix)] : [];
  });
  return numbers.sort((a, b) => a - b);
}

async function makeNew(path: string): Promise<boolean> {
  return onFile("make the folder", path, async () => {
    try {
      await mkdir(path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    }
  });
}
