/** File access with messages for people, and writes that are either whole or not there. */

import { open, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { RunError } from "./errors.js";

const HELP: Readonly<Record<string, string>> = {
  ENOENT: "check the path",
  EACCES: "check the permissions of the file and its folder",
  EPERM: "check the permissions of the file and its folder",
  EISDIR: "name a file, not a folder",
  EEXIST: "choose another path, or move the file away",
  ENOTDIR: "one part of the path is a file, not a folder",
  ENOSPC: "free some space or choose another folder; what was saved before is untouched",
  EDQUOT:
    "your quota is used up: free some space or choose another folder; what was saved before is untouched",
  EROFS: "the disk is read-only: choose another folder",
  EMFILE: "too many files are open: raise `ulimit -n`",
};

const WHAT: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  EACCES: "access is denied",
  EPERM: "access is denied",
  EISDIR: "this is a folder, not a file",
  EEXIST: "a file of this name is in the way",
  ENOTDIR: "a folder of this path is a file",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "the disk is read-only",
  EMFILE: "too many files are open",
};

/** A system error of node as a `RunError`; anything else is returned as it is. */
export function fileError(error: unknown, action: string, path: string): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (error instanceof RunError || !/^E[A-Z0-9]+$/.test(code)) return error;
  return new RunError(
    {
      code: code === "ENOSPC" || code === "EDQUOT" ? "disk-full" : "file-access",
      what: `cannot ${action}: ${WHAT[code] ?? (error as Error).message}`,
      where: path,
      help: HELP[code] ?? "check the path and the disk",
    },
    { cause: error },
  );
}

/** Runs `work` on `path` and turns a system error into a `RunError`. */
export async function onFile<T>(action: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileError(error, action, path);
  }
}

/** What `work` gives, or `fallback` when its file or folder does not exist. */
export async function orIfMissing<T>(work: Promise<T>, fallback: T): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const system = error instanceof RunError ? error.cause : error;
    if (system instanceof Error && "code" in system && system.code === "ENOENT") return fallback;
    throw error;
  }
}

/** The file's bytes. */
export function readBytes(path: string): Promise<Uint8Array> {
  return onFile("read the file", path, () => readFile(path));
}

let written = 0;

/**
 * Writes the pieces one after the other to `path`: first to a `.partial` file in the same folder, which is flushed to
 * the disk and then takes the name. Whatever happens, `path` holds the old contents or the new ones.
 */
export async function writeAtomically(
  path: string,
  pieces: readonly (Uint8Array | string)[],
): Promise<void> {
  const partial = join(dirname(path), `.${basename(path)}.${process.pid}.${++written}.partial`);
  await onFile("write the file", path, async () => {
    try {
      const file = await open(partial, "wx");
      try {
        for (const piece of pieces) await file.writeFile(piece);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(partial, path);
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
  });
  await syncFolder(dirname(path));
}

/** Makes a rename last through a power cut; not every system allows it on a folder. */
async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch {
    // The file itself is safe; only the folder's entry may come later.
  }
}
