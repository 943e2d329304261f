/**
 * The kernels in plain tfjs ops: right on every backend, fast on those with a fast op of each kind
 * (TensorFlow). Backends with kernels of their own fall back on these for what they do not cover.
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { KernelSet } from "../kernel-set.js";
import { type Tf, contextOf } from "./context.js";
import { createMuon } from "../muon.js";
import { createAdamw } from "./adamw.js";
import { createConv, createConvInputGradient, createConvWeightGradient } from "./conv.js";
import { createCumulate } from "./cumulate.js";
import { createDot } from "./dot.js";
import { createExpand } from "./expand.js";
import { createGroupedDot, createGroupedOuter, productsFor } from "./grouped.js";
import { createLinearScan } from "./linear-scan.js";
import { createMap } from "./map.js";
import { createArgsort, createTopK } from "./order.js";
import { createReduce } from "./reduce.js";
import { createScan } from "./scan.js";
import { createSolve } from "./solve.js";
import { createConcat, createPad, createShift, createSlice } from "./structure.js";
import { createPut, createTake } from "./take.js";

/** Frees everything a kernel makes but its result, which is never one of the arguments. */
const tidyFor =
  (tf: Tf) =>
  <Arguments extends unknown[], Result extends Tensor | Tensor[]>(
    kernel: (...given: Arguments) => Result,
  ) =>
  (...given: Arguments): Result =>
    tf.tidy(() => {
      const result = kernel(...given);
      return (given.flat() as unknown[]).includes(result)
        ? (tf.clone(result as Tensor) as Result)
        : result;
    });

/** For the backend that is active now, with what it has of its own. */
export function createGenericKernels(
  tf: Tf,
  context = contextOf(tf),
  products = productsFor(context),
): KernelSet {
  const tidy = tidyFor(tf);
  const map = createMap(context);
  const dot = createDot(context);
  const shift = createShift(context);
  return {
    map: tidy(map),
    dot: tidy(dot),
    sum: tidy(createReduce(context, "sum")),
    max: tidy(createReduce(context, "max")),
    expand: tidy(createExpand(context)),
    reshape: (x, shape) => tf.reshape(x, [...shape]),
    slice: tidy(createSlice(context)),
    pad: tidy(createPad(context)),
    concat: tidy(createConcat(context)),
    shift: tidy(shift),
    take: tidy(createTake(context)),
    put: tidy(createPut(context)),
    topK: tidy(createTopK(context)),
    argsort: tidy(createArgsort(context)),
    cumulate: tidy(createCumulate(context)),
    linearScan: tidy(createLinearScan(context)),
    solve: tidy(createSolve(context)),
    groupedDot: tidy(createGroupedDot(context, products)),
    groupedOuter: tidy(createGroupedOuter(context, products)),
    conv: tidy(createConv(context, { map, shift })),
    convInputGradient: tidy(createConvInputGradient(context, { map, shift })),
    convWeightGradient: tidy(createConvWeightGradient(context, { map, shift })),
    scan: createScan(context, map),
    adamw: tidy(createAdamw(context)),
    muon: createMuon(tf, { map: tidy(map), dot: tidy(dot) }),
  };
}
