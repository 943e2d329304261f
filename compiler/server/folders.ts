/** The programs in the folders that an editor has open. */

import { type Host, HostError } from "../host.js";

/** Beyond these a folder is no project of programs, and looking through it takes longer than it helps. */
const mostFolders = 500;
const mostPrograms = 500;

/** Paths of `.lsm` files, breadth first; hidden folders and installed packages are left out. */
export function programsIn(folders: readonly string[], host: Host): string[] {
  const found: string[] = [];
  const open = [...folders];
  for (let at = 0; at < open.length && at < mostFolders; at += 1)
    for (const name of namesIn(open[at]!, host)) {
      const path = host.resolve(`${open[at]!}/.`, name.replace(/\/$/, ""));
      if (name.endsWith(".lsm") && found.length < mostPrograms) found.push(path);
      else if (name.endsWith("/") && !/^(?:\.|node_modules\/)/.test(name)) open.push(path);
    }
  return found;
}

function namesIn(folder: string, host: Host): readonly string[] {
  try {
    return host.list(folder);
  } catch (error) {
    if (error instanceof HostError) return [];
    throw error;
  }
}
