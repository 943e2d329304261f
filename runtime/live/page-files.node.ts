/** The training page as `npm run build` made it. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { PageFile } from "./server.node.js";

const types: Readonly<Record<string, string>> = {
  "index.html": "text/html",
  "page.js": "text/javascript",
  "style.css": "text/css",
};

/** @param folder dist/live */
export async function pageFiles(folder: string): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>();
  for (const [name, type] of Object.entries(types)) {
    const content = await readFile(join(folder, name), "utf8");
    files.set(name === "index.html" ? "/" : `/${name}`, { type, content });
  }
  return files;
}
