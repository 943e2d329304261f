/** The compiler's host in a page: one program, and the library that came with the page. */

import { HostError, type Host, type SourceText } from "../../host.js";

export const programPath = "program.lsm";

export function pageHost(library: readonly SourceText[], program = ""): Host {
  const refuse = (path: string): never => {
    throw new HostError("forbidden", "write", path);
  };
  return {
    readText: (path) => {
      if (path === programPath) return program;
      throw new HostError("missing", "read", path);
    },
    writeText: refuse,
    writeBytes: refuse,
    exists: (path) => path === programPath,
    list: () => [programPath],
    resolve: (_from, path) => path,
    library: () => library,
  };
}
