/** One kernel's test: random calls, each with what the reference says comes out. */

import type { Tensor } from "@tensorflow/tfjs";
import type { KernelSet } from "../../../runtime/tfjs/kernel-set.js";
import type { Random } from "./arbitrary.js";
import type { Named } from "./named.js";

export interface Call {
  readonly title: string; // enough to read what was called
  readonly inputs: readonly Named[];
  readonly run: (
    kernels: KernelSet,
    inputs: readonly Tensor[],
  ) => Tensor | readonly (Tensor | null)[];
  readonly expected: readonly (Named | null)[];
  /** Largest error against the largest number of the result; 1e-5 when not given. */
  readonly tolerance?: number;
}

export interface KernelCase {
  readonly name: string;
  readonly make: (next: Random) => Call;
}
