/** The compiler's host on Node: files on disk, and the standard library from beside the program. */

import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { HostError, type Host, type HostErrorKind, type SourceText } from "../host.js";

/** A host whose relative paths start at `root`; paths are shown the way the user wrote them. */
export function nodeHost(root: string = process.cwd()): Host {
  const onDisk = (path: string) => (isAbsolute(path) ? path : join(root, path));
  return {
    readText: (path) => attempt("read", path, () => decode(path, readFileSync(onDisk(path)))),
    writeText: (path, text) =>
      attempt("write", path, () => replaceFile(onDisk(path), Buffer.from(text))),
    writeBytes: (path, bytes) => attempt("write", path, () => replaceFile(onDisk(path), bytes)),
    exists: (path) => existsSync(onDisk(path)),
    list: (folder) =>
      attempt("list", folder, () =>
        readdirSync(onDisk(folder), { withFileTypes: true })
          .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
          .sort(),
      ),
    resolve: (from, path) => (isAbsolute(path) ? path : join(dirname(from), path)),
    library: () => (libraryCache ??= readLibrary()),
  };
}

function decode(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new HostError("not-text", "read", path);
  }
}

/** Writes beside the target, then renames, so that a crash or a full disk leaves the old file whole. */
function replaceFile(path: string, bytes: Uint8Array): void {
  const target = existsSync(path) ? realpathSync(path) : path; // a link stays a link
  const mode = existsSync(target) ? statSync(target).mode : 0o666;
  makeFolder(dirname(target));
  const partial = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  try {
    const file = openSync(partial, "w", mode);
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(partial, target);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

/** Level by level: Node's own `recursive` never ends where a folder such as /proc says that there is none. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    if (!existsSync(folder)) throw error; // else somebody was faster
  }
}

function attempt<T>(verb: HostError["verb"], path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof HostError || !isSystemError(error)) throw error;
    throw new HostError(kindOf(error.code), verb, path, error.message);
  }
}

/** Whether an exception came from the operating system rather than from a mistake in this program. */
export function isSystemError(error: unknown): error is Error & { code: string; syscall: string } {
  return error instanceof Error && "syscall" in error && "code" in error;
}

function kindOf(code: string): HostErrorKind {
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
    case "EEXIST": // a file where a folder is wanted
      return "missing";
    case "EISDIR":
      return "folder";
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return "forbidden";
    case "ENOSPC":
    case "EDQUOT":
      return "full";
    default:
      return "other";
  }
}

let libraryCache: readonly SourceText[] | undefined;

/** The folder of the standard library: beside `lsm.js` in the bundle (or one up, for a chunk), in the repository two up. */
export function libraryFolder(): string {
  const folders = ["./stdlib/", "../stdlib/", "../../stdlib/"];
  const found = folders
    .map((folder) => fileURLToPath(new URL(folder, import.meta.url)))
    .find(existsSync);
  if (found === undefined) throw new HostError("missing", "list", "stdlib");
  return found;
}

function readLibrary(): readonly SourceText[] {
  const found = libraryFolder();
  const names = readdirSync(found).filter((name) => name.endsWith(".lsm"));
  return names
    .sort()
    .map((name) => ({ path: `stdlib/${name}`, text: readFileSync(join(found, name), "utf8") }));
}
