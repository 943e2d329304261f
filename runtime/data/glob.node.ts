/** Finds the files of a pattern, in the order of their paths. */

import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { onFile, orIfMissing } from "../run/files.node.js";
import { RunError } from "../run/errors.js";
import { parseGlob, type Glob } from "./glob.js";

const FILE_LIMIT = 1_000_000;
const DEPTH_LIMIT = 64; // folders

/**
 * The files that match `pattern`, sorted by the UTF-16 code units of their relative paths.
 *
 * Symbolic links below the pattern's own folder are not followed: they would lead out of it, round in circles, or to
 * the same text twice.
 *
 * @param base the folder that a relative pattern starts from
 * @returns absolute paths; none when nothing matches or the folder is missing
 */
export async function findFiles(pattern: string, base: string): Promise<string[]> {
  const glob = parseGlob(pattern);
  const root = resolve(base, glob.root);
  const found: string[] = [];
  await walk({ glob, root, found, pattern }, "", 0);
  return found.sort((a, b) => (a < b ? -1 : 1)).map((path) => join(root, path));
}

interface Walk {
  readonly glob: Glob;
  readonly root: string;
  readonly found: string[];
  readonly pattern: string;
}

async function walk(state: Walk, folder: string, depth: number): Promise<void> {
  if (depth > DEPTH_LIMIT) return;
  const at = join(state.root, folder);
  for (const entry of await list(at)) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory() && state.glob.entersFolder(path)) await walk(state, path, depth + 1);
    if (entry.isFile() && state.glob.matches(path)) state.found.push(path);
    if (state.found.length > FILE_LIMIT) throw tooMany(state.pattern);
  }
}

/** A folder's entries; none when it is missing. */
function list(folder: string): Promise<Dirent[]> {
  return onFile("list the folder", folder, () =>
    orIfMissing(readdir(folder, { withFileTypes: true }), []),
  );
}

function tooMany(pattern: string): RunError {
  return new RunError({
    code: "too-many-files",
    what: `more than ${FILE_LIMIT} files match`,
    where: `text "${pattern}"`,
    help: "name a smaller folder, or put many documents into one .jsonl file",
  });
}
