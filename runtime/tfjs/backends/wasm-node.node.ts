/**
 * What makes tfjs's WebAssembly fast in Node: fused multiply-add, and a memory that threads can share.
 *
 * Node 20 knows relaxed SIMD, whose `relaxed_madd` our kernels use, behind a flag. tfjs's SIMD binary declares a
 * memory of its own that is not shared; one byte of it says so. We hand tfjs the binary with that byte changed, and
 * its own code, which has no threads, runs as before.
 */

import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import type * as WasmBackend from "@tensorflow/tfjs-backend-wasm";
import { threadsWanted } from "../wasm/threads/count.js";
import { wasmPath } from "./wasm-path.node.js";

const binary = "tfjs-backend-wasm-simd.wasm";

/** Before any of our kernels is built, and before the backend starts. */
export function prepareWasm(backend: Pick<typeof WasmBackend, "setWasmPaths">): void {
  if (process.versions.node.startsWith("20."))
    setFlagsFromString("--experimental-wasm-relaxed-simd");
  const folder = wasmPath();
  const shared = threadsWanted() > 1 ? withSharedMemory(readFileSync(folder + binary)) : null;
  if (!shared) return backend.setWasmPaths(folder);
  const url = `data:application/wasm;base64,${Buffer.from(shared).toString("base64")}`;
  const others = ["tfjs-backend-wasm.wasm", "tfjs-backend-wasm-threaded-simd.wasm"];
  const paths = Object.fromEntries(others.map((name) => [name, folder + name]));
  backend.setWasmPaths({ ...paths, [binary]: url }, true);
}

/** The module with its memory declared as shared; null where it declares none of its own with a maximum. */
export function withSharedMemory(bytes: Uint8Array): Uint8Array<ArrayBuffer> | null {
  const memorySection = 5;
  const [limitsWithMaximum, sharedLimits] = [1, 3];
  for (let at = 8; at < bytes.length;) {
    const section = bytes[at]!;
    const [size, start] = leb128(bytes, at + 1);
    if (section === memorySection) {
      // one memory: its count, then its limits
      if (bytes[start] !== 1 || bytes[start + 1] !== limitsWithMaximum) return null;
      const changed = Uint8Array.from(bytes);
      changed[start + 1] = sharedLimits;
      return changed;
    }
    at = start + size;
  }
  return null;
}

/** An unsigned number and where it ends. */
function leb128(bytes: Uint8Array, at: number): [value: number, end: number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]!;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}
