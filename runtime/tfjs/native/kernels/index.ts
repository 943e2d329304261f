/** The kernels on TensorFlow: the generic ones, with ops that tfjs does not offer and without any that reads values back. */

import { type Tf, contextOf } from "../../generic/context.js";
import { createGenericKernels } from "../../generic/index.js";
import type { KernelSet } from "../../kernel-set.js";
import { nativeProducts } from "./grouped.js";
import { nativeOps } from "./ops.js";

export function createNativeKernels(tf: Tf): KernelSet {
  const ops = nativeOps(tf);
  return createGenericKernels(tf, contextOf(tf, ops), nativeProducts(tf, ops));
}
