/** The checkpoints of a run's folder: `step-00001000.safetensors`, … and `final.safetensors`. */

import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { RunError } from "../run/errors.js";
import { onFile, orIfMissing } from "../run/files.node.js";
import { packCheckpoint, readState, unpackCheckpoint, type Checkpoint } from "./checkpoint.js";
import { dataPieces, type Safetensors } from "./safetensors.js";
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from "./safetensors.node.js";

const STEP_FILE = /^step-(\d{8,})\.safetensors$/;
const PARTIAL_FILE = /^\..*\.safetensors\.\d+\.\d+\.partial$/;
const FINAL_FILE = "final.safetensors";

export interface WriteOptions {
  /** How many of the newest step files stay; `final.safetensors` always does. Default 2. */
  readonly keep?: number;
  /** Writes `final.safetensors`, the end of a run, in place of a step file. */
  readonly final?: boolean;
}

/**
 * Writes a checkpoint into `folder` (made if missing), whole or not at all, then drops the oldest beyond `keep`.
 *
 * @returns the path of the new file
 * @throws RunError `disk-full`, `file-access`; what was there before is then untouched
 */
export async function writeCheckpoint(
  folder: string,
  checkpoint: Checkpoint,
  { keep = 2, final = false }: WriteOptions = {},
): Promise<string> {
  await onFile("make the folder", folder, () => mkdir(folder, { recursive: true }));
  const name = final ? FINAL_FILE : `step-${String(checkpoint.step).padStart(8, "0")}.safetensors`;
  const path = join(folder, name);
  await writeSafetensors(path, packCheckpoint(checkpoint, checksum));
  await prune(folder, Math.max(1, keep), final ? Infinity : checkpoint.step);
  return path;
}

/** Reads and checks a checkpoint. @throws RunError naming the file and what is wrong with it */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const { crc, ...contents } = await readSafetensors(path);
  return unpackCheckpoint(contents, crc, path);
}

export interface LatestCheckpoint {
  readonly path: string;
  readonly checkpoint: Checkpoint;
  /** One for every newer file that could not be read. */
  readonly warnings: readonly string[];
}

/**
 * The checkpoint with the highest step that can be read; damaged ones are passed over with a warning.
 *
 * @returns null when the folder holds no checkpoint or does not exist
 * @throws RunError `no-good-checkpoint` when there are some, and all are damaged
 */
export async function latestCheckpoint(folder: string): Promise<LatestCheckpoint | null> {
  const warnings: string[] = [];
  const candidates: { path: string; step: number }[] = [];
  for (const name of await checkpointNames(folder)) {
    const path = join(folder, name);
    try {
      const { metadata } = await readSafetensorsHeader(path);
      candidates.push({ path, step: readState(metadata, path).step });
    } catch (error) {
      warnings.push(warning(path, error));
    }
  }
  candidates.sort((a, b) => b.step - a.step || (a.path < b.path ? -1 : 1)); // at equal steps `final` comes first
  for (const { path } of candidates) {
    try {
      return { path, checkpoint: await readCheckpoint(path), warnings };
    } catch (error) {
      warnings.push(warning(path, error));
    }
  }
  if (warnings.length === 0) return null;
  throw new RunError({
    code: "no-good-checkpoint",
    what: `none of the checkpoints can be read:\n  ${warnings.join("\n  ")}`,
    where: folder,
    help: "start the run again without --resume",
  });
}

function warning(path: string, error: unknown): string {
  if (!(error instanceof RunError)) throw error;
  return `${path}: passed over, ${error.what}`;
}

function checksum(tensors: Safetensors["tensors"]): number {
  return dataPieces(tensors).reduce((crc, bytes) => crc32(bytes, crc), 0);
}

/** The checkpoint files of a folder, oldest step first, `final.safetensors` last. */
async function checkpointNames(folder: string): Promise<string[]> {
  const names = await listFolder(folder);
  const steps = names.filter((name) => STEP_FILE.test(name));
  steps.sort((a, b) => stepOf(a) - stepOf(b));
  return names.includes(FINAL_FILE) ? [...steps, FINAL_FILE] : steps;
}

function listFolder(folder: string): Promise<string[]> {
  return onFile("list the folder", folder, () => orIfMissing(readdir(folder), []));
}

/**
 * Drops all but the newest `keep` step files up to `step`, and what a killed process left half-written. Files of later
 * steps stay: they are damaged ones that a resumed run went behind, or another branch of the run, and not ours to judge.
 */
async function prune(folder: string, keep: number, step: number): Promise<void> {
  const steps = (await checkpointNames(folder)).filter(
    (name) => name !== FINAL_FILE && stepOf(name) <= step,
  );
  const partials = (await listFolder(folder)).filter((name) => PARTIAL_FILE.test(name));
  for (const name of [...steps.slice(0, -keep), ...partials]) {
    await onFile("remove the old checkpoint", join(folder, name), () =>
      rm(join(folder, name), { force: true }),
    );
  }
}

function stepOf(name: string): number {
  return Number(STEP_FILE.exec(name)?.[1]);
}
