/** A host without a disk: files in a map. */
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { HostError, type Host } from "../../compiler/host.js";

export interface MemoryHost extends Host {
  readonly files: Map<string, string>;
}

export function memoryHost(initial: Readonly<Record<string, string>> = {}): MemoryHost {
  const files = new Map(Object.entries(initial));
  const isFolder = (path: string) =>
    path === "." || [...files.keys()].some((name) => name.startsWith(`${path}/`));
  return {
    files,
    readText: (path) => {
      const text = files.get(path);
      if (text !== undefined) return text;
      throw new HostError(isFolder(path) ? "folder" : "missing", "read", path);
    },
    writeText: (path, text) => void files.set(path, text),
    writeBytes: (path, bytes) => void files.set(path, Buffer.from(bytes).toString("latin1")),
    exists: (path) => files.has(path) || isFolder(path.replace(/\/$/, "")),
    list: (folder) => {
      const prefix = folder === "." ? "" : `${folder.replace(/\/$/, "")}/`;
      const inside = [...files.keys()].filter((name) => name.startsWith(prefix));
      const names = inside.map((name) => name.slice(prefix.length).replace(/\/.*$/, "/"));
      return [...new Set(names)].sort();
    },
    resolve: (from, path) => posix.join(posix.dirname(from), path),
    library: () => {
      const folder = join(import.meta.dirname, "../../stdlib");
      const names = readdirSync(folder).filter((name) => name.endsWith(".lsm"));
      return names.map((name) => ({
        path: `stdlib/${name}`,
        text: readFileSync(join(folder, name), "utf8"),
      }));
    },
  };
}
