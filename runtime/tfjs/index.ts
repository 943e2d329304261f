/** What emitted TypeScript imports as "lsm/runtime/tfjs". */

import type { Tensor } from "@tensorflow/tfjs";

export { type Backend, type BackendName, chooseBackend } from "./backend.js";
export { defineMap } from "./map.js";
export type { KernelSet, MapKernel, ScanBody, ScanOptions, ScanResult } from "./kernel-set.js";
export type { Tensor } from "@tensorflow/tfjs";

/** Gives the tensors' memory back; each must not be used again. */
export function free(...tensors: readonly (Tensor | null)[]): void {
  for (const tensor of tensors) tensor?.dispose();
}
