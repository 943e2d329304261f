/** The documents that a `data` block's `text` settings name, in a fixed order. */

import { relative, resolve } from "node:path";
import { RunError } from "../run/errors.js";
import { readBytes } from "../run/files.node.js";
import { isGlob } from "./glob.js";
import { findFiles } from "./glob.node.js";
import { packageFiles } from "./npm.node.js";
import { parseDocuments, type Document } from "./text.js";

/**
 * Reads the sources one after the other; the files of a pattern in the order of their paths, a file two sources name
 * only once. Files of `.jsonl` hold a document a line, all others are one document each.
 *
 * @param sources paths, patterns (`corpus/**\/*.txt`) and packages (`npm:NAME`)
 * @param base the folder that relative paths start from: the `.lsm` file's
 * @throws RunError for what is missing, unreadable, binary, not UTF-8, or without any text at all
 */
export async function* readDocuments(
  sources: readonly string[],
  base: string,
): AsyncGenerator<Document> {
  let any = false;
  const files = new Set<string>();
  for (const source of sources)
    for (const file of await sourceFiles(source, base, "text")) files.add(file);
  for (const file of files) {
    const near = relative(base, file);
    const name = near.startsWith("..") ? file : near;
    for (const document of parseDocuments(await readBytes(file), name)) {
      any = true;
      yield document;
    }
  }
  if (any) return;
  throw new RunError({
    code: "data-empty",
    what: `${files.size === 1 ? "the file is" : `all ${files.size} files are`} empty`,
    where: `text ${sources.map((source) => JSON.stringify(source)).join(", ")}`,
    help: "name files with some text in them",
  });
}

/** The files that one source names; `setting` is what it is called in the program. */
export async function sourceFiles(
  source: string,
  base: string,
  setting: "text" | "csv",
): Promise<string[]> {
  if (source.startsWith("npm:")) return packageFiles(source, base, setting);
  if (!isGlob(source)) return [resolve(base, source)];
  const files = await findFiles(source, base);
  if (files.length > 0) return files;
  throw new RunError({
    code: "data-missing",
    what: "no file matches",
    where: `${setting} ${JSON.stringify(source)} (in ${resolve(base)})`,
    help: "check the folder and the ending; `**` stands for any folders, and links inside them are not followed",
  });
}
