/** `KernelSet.scan` with the numbers of states, sequences and results in its types, for emitted code. */

import type { Tensor } from "@tensorflow/tfjs";
import type { KernelSet, ScanBody, ScanOptions } from "./kernel-set.js";

type Tensors<List extends readonly Tensor[]> = { readonly [I in keyof List]: Tensor };

/** A tensor for every result that is wanted. */
type Wanted<Flags extends readonly boolean[]> = {
  readonly [I in keyof Flags]: Flags[I] extends true ? Tensor : null;
};

interface Results<Options extends ScanOptions> {
  readonly outputs: Wanted<Options["wanted"]["outputs"]>;
  readonly finals: Wanted<Options["wanted"]["finals"]>;
  readonly befores: Wanted<Options["wanted"]["befores"]>;
}

/** One step a position along an axis: `step` gives the new states, and its outputs, from the old ones. */
export function scan<
  const Options extends ScanOptions,
  States extends readonly Tensor[],
  Sequences extends readonly Tensor[],
  Statics extends readonly Tensor[],
>(
  kernels: KernelSet,
  options: Options,
  initial: readonly [...States],
  sequences: readonly [...Sequences],
  statics: readonly [...Statics],
  step: (
    states: Tensors<States>,
    sequences: Tensors<Sequences>,
    statics: Tensors<Statics>,
  ) => ReturnType<ScanBody>,
): Results<Options> {
  const body = step as unknown as ScanBody; // the kernel hands in as many tensors as it was given
  return kernels.scan(options, initial, sequences, statics, body) as unknown as Results<Options>;
}
