/** The language server on Node: over the standard input and output, with files by their paths. */

import { isAbsolute, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createConnection } from "vscode-languageserver/node";
import { serve } from "../server/serve.js";
import type { Host } from "../host.js";
import type { Uris } from "../server/workspace.js";
import { libraryFolder } from "./node-host.js";
import { version } from "./version.js";

/** Ends with the process: the connection ends it when the editor says so, or goes away. */
export async function runLanguageServer(host: Host): Promise<void> {
  const connection = createConnection(process.stdin, process.stdout);
  serve(connection, { host, uris: nodeUris, version });
  connection.listen();
  await new Promise<never>(() => undefined);
}

/** Files by their paths; the library's by where they lie; a document without a file by its own name. */
const nodeUris: Uris = {
  toPath: (uri) => {
    try {
      return uri.startsWith("file:") ? fileURLToPath(uri) : uri;
    } catch {
      return uri; // no file of this machine
    }
  },
  toUri: (path) => {
    if (path.startsWith("stdlib/"))
      return pathToFileURL(join(libraryFolder(), path.slice("stdlib/".length))).href;
    const isUri = /^[a-z][a-z0-9+.-]+:/i.test(path) && !isAbsolute(path);
    return isUri ? path : pathToFileURL(resolve(path)).href;
  },
};
