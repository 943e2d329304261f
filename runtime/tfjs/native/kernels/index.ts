/** The kernels on TensorFlow: the generic ones, but for those that would read values back. */

import { type Tf, contextOf } from "../../generic/context.js";
import { createGroupedDot, createGroupedOuter } from "../../generic/grouped.js";
import { tidyFor } from "../../generic/index.js";
import type { KernelSet } from "../../kernel-set.js";
import { nativeProducts } from "./grouped.js";
import { nativeOps } from "./ops.js";

export function createNativeKernels(tf: Tf, generic: KernelSet): KernelSet {
  const context = contextOf(tf);
  const tidy = tidyFor(tf);
  const products = nativeProducts(tf, nativeOps(tf));
  return {
    ...generic,
    groupedDot: tidy(createGroupedDot(context, products)),
    groupedOuter: tidy(createGroupedOuter(context, products)),
  };
}
