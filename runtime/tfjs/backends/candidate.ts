/** A backend that may or may not be there: what `chooseBackend` tries in turn. */

import type { Tf } from "../generic/context.js";
import type { KernelSet } from "../kernel-set.js";
import type { Recorder } from "../recorder.js";

export const backendNames = ["node-gpu", "node", "webgpu", "wasm", "cpu"] as const;
export type BackendName = (typeof backendNames)[number];

export interface OwnKernels {
  readonly kernels: KernelSet;
  readonly recorder: Recorder;
}

export type Start =
  | {
      readonly started: true;
      readonly what: string; // "wasm (SIMD)"
      /** The backend's own kernels; without them the generic ones serve. */
      readonly own?: OwnKernels;
    }
  | { readonly started: false; readonly because: string; readonly remedy: string };

export interface Candidate {
  readonly name: BackendName;
  /** Makes it the active backend of tf. `asked`: the user named it, so try harder and take slow ones too. */
  start(tf: Tf, asked: boolean): Promise<Start>;
}

export const inNode = typeof process !== "undefined" && Boolean(process.versions?.node);

export function missing(because: string, remedy: string): Start {
  return { started: false, because, remedy };
}

export function messageOf(fault: unknown): string {
  const text = fault instanceof Error ? fault.message : String(fault);
  return text.split("\n", 1)[0]!.trim();
}
