/** The compiler's host in a page: the program in the editor, and the library that came with the page. */

import { HostError, type Host, type SourceText } from "../../host.js";

export const programPath = "program.lsm";

export class PageHost implements Host {
  text = "";

  constructor(private readonly files: readonly SourceText[]) {}

  readText(path: string): string {
    if (path === programPath) return this.text;
    throw new HostError("missing", "read", path);
  }
  writeText(path: string): never {
    throw new HostError("forbidden", "write", path);
  }
  writeBytes(path: string): never {
    throw new HostError("forbidden", "write", path);
  }
  exists(path: string): boolean {
    return path === programPath;
  }
  list(): readonly string[] {
    return [programPath];
  }
  resolve(_from: string, path: string): string {
    return path;
  }
  library(): readonly SourceText[] {
    return this.files;
  }
}
