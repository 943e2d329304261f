/** Where a run writes, and what it goes on from. */

import type { Checkpoint } from "../../checkpoint/checkpoint.js";
import { latestCheckpoint, readCheckpoint } from "../../checkpoint/checkpoint.node.js";
import { RunError } from "../../run/errors.js";
import { openRunFolder, runFiles, runFolderOf } from "../../run/folder.node.js";

export interface OpenRunOptions {
  /** The run's name; its folder is `runs/<name>`, or `out`. */
  readonly name: string;
  readonly out?: string | null;
  /** `auto`: the newest checkpoint of the run, if there is one; otherwise a checkpoint's path; null: from the start. */
  readonly resume?: string | null;
}

export interface OpenedRun {
  readonly folder: string;
  readonly saved: { readonly path: string; readonly checkpoint: Checkpoint } | null;
  /** What to tell the user about the choice. */
  readonly notes: readonly string[];
}

/** @throws RunError for a folder or a checkpoint that cannot be used */
export async function openRun({
  name,
  out = null,
  resume = null,
}: OpenRunOptions): Promise<OpenedRun> {
  if (resume !== null && resume !== "auto") return openCheckpoint(resume, out);
  const { path, resumed, note } = await openRunFolder({ name, out, resume: resume !== null });
  const notes = note === null ? [] : [note];
  if (resume === null) return { folder: path, saved: null, notes };
  const latest = resumed ? await latestCheckpoint(runFiles(path).checkpoints) : null;
  if (!latest)
    return { folder: path, saved: null, notes: [...notes, "no checkpoint yet: from the start"] };
  const { checkpoint, warnings } = latest;
  return { folder: path, saved: { path: latest.path, checkpoint }, notes: [...notes, ...warnings] };
}

/** Goes on from one checkpoint, in its own run's folder or in another. */
async function openCheckpoint(path: string, out: string | null): Promise<OpenedRun> {
  if (!path.endsWith(".safetensors"))
    throw new RunError({
      code: "not-a-checkpoint",
      what: "this is not the path of a checkpoint",
      where: path,
      help: "name a file such as runs/moby/checkpoints/step-00000100.safetensors, or give --resume alone",
    });
  const saved = { path, checkpoint: await readCheckpoint(path) };
  if (out === null) return { folder: runFolderOf(path), saved, notes: [] };
  const { path: folder } = await openRunFolder({ name: "", out, resume: true });
  return { folder, saved, notes: [] };
}
