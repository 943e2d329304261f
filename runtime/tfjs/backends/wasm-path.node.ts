/** Where the WebAssembly binaries lie, whatever the working directory. */

import { createRequire } from "node:module";
import { dirname, sep } from "node:path";

export function wasmPath(): string {
  return dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm")) + sep;
}
