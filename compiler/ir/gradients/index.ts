/** The gradient of every op; an op without one says why. */

import type { OpName } from "../ops.js";
import { InternalFault } from "../types.js";
import {
  convGradient,
  dotGradient,
  groupedDotGradient,
  reduceGradient,
  solveGradient,
} from "./contraction.js";
import { mapGradient } from "./map.js";
import type { GradientRule } from "./rule.js";
import { linearScanGradient } from "./linear-scan.js";
import { rotateGradient } from "./rotate.js";
import { scanGradient } from "./scan.js";
import {
  concatGradient,
  cumulateGradient,
  expandGradient,
  mergeGradient,
  padGradient,
  putGradient,
  renameGradient,
  shiftGradient,
  sliceGradient,
  splitGradient,
  takeGradient,
} from "./structure.js";

/** Indices and constants: nothing flows through them. */
const zero = (_: unknown, node: { readonly inputs: readonly unknown[] }) =>
  node.inputs.map(() => null);

/** Ops that are gone, or not yet there, when gradients are taken. */
const never = (_: unknown, node: { readonly op: OpName }): never => {
  throw new InternalFault(`no gradient is taken of ${node.op}`);
};

export const gradientRules: { readonly [Op in OpName]: GradientRule<Op> } = {
  constant: zero,
  iota: zero,
  map: mapGradient,
  reduce: reduceGradient,
  dot: dotGradient,
  expand: expandGradient,
  rename: renameGradient,
  split: splitGradient,
  merge: mergeGradient,
  slice: sliceGradient,
  pad: padGradient,
  concat: concatGradient,
  shift: shiftGradient,
  take: takeGradient,
  put: putGradient,
  rotate: rotateGradient,
  top_k: zero,
  argsort: zero,
  cumulate: cumulateGradient,
  linear_scan: linearScanGradient,
  solve: solveGradient,
  grouped_dot: groupedDotGradient,
  grouped_outer: never,
  delay: never, // written out like attend
  slot_positions: zero,
  conv: convGradient,
  conv_input_gradient: never,
  conv_weight_gradient: never,
  attend: never, // 3-derive/forms writes it out first
  scan: scanGradient,
  recurrence: never, // only for targets that take gradients themselves
  state_scan: never,
  selective_scan: never,
  adamw: never,
  muon: never,
  call: never, // backpropagate's caller differentiates functions
  state: never,
  write: never,
  lag: never,
  position: never,
  source: never,
  patches: never,
  all_tokens: never,
  token_mean: never,
  mix: never,
};
