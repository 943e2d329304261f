/** From a checkpoint's path to the model inside it: weights, and the program that they belong to. */

import { statSync } from "node:fs";
import type { Checked } from "../1-check/check.js";
import type { Model } from "../1-check/model.js";
import type { Checkpoint } from "../../runtime/checkpoint/checkpoint.js";
import { RunError } from "../../runtime/run/errors.js";
import type { Host } from "../host.js";
import { loadProgram } from "./programs.js";
import { say, type Session } from "./session.js";

export interface TrainedModel {
  readonly path: string; // of the checkpoint
  readonly checkpoint: Checkpoint;
  readonly checked: Checked;
  readonly model: Model;
}

/** Opens a checkpoint file, or the newest of a run's folder; null when its program has mistakes (shown). */
export async function openCheckpoint(
  session: Session,
  given: string,
): Promise<TrainedModel | null> {
  const { readCheckpoint, latestCheckpoint } =
    await import("../../runtime/checkpoint/checkpoint.node.js");
  session.subject = given;
  if (!isFolder(given)) return inside(session, given, await readCheckpoint(given));
  const { runFiles } = await import("../../runtime/run/folder.node.js");
  const latest =
    (await latestCheckpoint(runFiles(given).checkpoints)) ?? (await latestCheckpoint(given));
  if (!latest) throw noCheckpoint(given);
  for (const warning of latest.warnings) say(session.err, `warning: ${warning}`);
  return inside(session, latest.path, latest.checkpoint);
}

async function inside(
  session: Session,
  path: string,
  checkpoint: Checkpoint,
): Promise<TrainedModel | null> {
  const name = `${path}:model.lsm`; // how messages call the text inside
  const host: Host = {
    ...session.host,
    readText: (asked) => (asked === name ? checkpoint.source : session.host.readText(asked)),
  };
  const checked = await loadProgram(session, name, host);
  if (checked === null) return null;
  const model = checked.models.get(checkpoint.model);
  if (model) return { path, checkpoint, checked, model };
  throw new RunError({
    code: "checkpoint-without-model",
    what: `its program has no model \`${checkpoint.model}\``,
    where: path,
    help: "the checkpoint is damaged, or was written by another program than lsm",
  });
}

const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

function noCheckpoint(path: string): RunError {
  return new RunError({
    code: "no-checkpoint",
    what: "there is no checkpoint in this folder",
    where: path,
    help: "train the model first: `lsm train` writes one to its run's folder",
  });
}
