/** Paths of what is written, and paths in what is written. */

import { basename, relative, resolve, sep } from "node:path";

/** The path of `to` as seen from the folder `from`, with slashes everywhere. */
export function pathFrom(from: string, to: string): string {
  return relative(resolve(from), resolve(to)).split(sep).join("/") || ".";
}

/** The program's name for files of the output: a plain name, whatever the file is called. */
export function stemOf(path: string): string {
  const plain = basename(path)
    .replace(/\.lsm$/, "")
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[.-]+/, "");
  return plain === "" ? "model" : plain;
}
