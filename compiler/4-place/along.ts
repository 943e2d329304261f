/** Which axes an op works along: it needs them whole, while along all others it does the same to each element. */

import type { Graph, Node } from "../ir/graph.js";
import type { OpAttributes, OpName } from "../ir/ops.js";
import { InternalFault } from "../ir/types.js";

type Along = { readonly [Op in OpName]: (attributes: OpAttributes[Op]) => readonly string[] };

const none = (): readonly string[] => [];
const gone = (): never => {
  throw new InternalFault("an op of the token level is left in a lowered graph");
};

const along: Along = {
  constant: none,
  iota: none,
  map: none,
  reduce: ({ over }) => over,
  dot: ({ over }) => over,
  expand: none,
  rename: none,
  split: ({ axis }) => [axis],
  merge: ({ outer, inner }) => [outer, inner],
  slice: ({ axis }) => [axis],
  pad: ({ axis }) => [axis],
  concat: ({ axis }) => [axis],
  shift: ({ axis }) => [axis],
  rotate: ({ over, pairs }) => [over, pairs],
  take: ({ axis }) => [axis],
  put: ({ axis, over }) => [axis.name, ...over],
  top_k: ({ axis }) => [axis],
  argsort: ({ axis }) => [axis],
  cumulate: ({ axis }) => [axis],
  linear_scan: ({ axis }) => [axis],
  solve: ({ row, column }) => [row, column],
  grouped_dot: ({ over, group }) => [...over, group],
  grouped_outer: ({ over, group }) => [...over, group.name],
  conv: ({ axis, taps }) => [axis, taps],
  delay: ({ axis }) => [axis],
  slot_positions: ({ experts }) => ["time", "slots", experts.name],
  conv_input_gradient: ({ axis, taps }) => [axis, taps],
  conv_weight_gradient: ({ axis, taps }) => [axis, taps.name],
  attend: ({ axis, key }) => [axis, key],
  scan: ({ axis, body }) => [axis, ...alongGraph(body)],
  recurrence: ({ axis, key }) => [axis, ...key],
  state_scan: ({ axis }) => [axis],
  selective_scan: ({ axis, key }) => [axis, ...key],
  adamw: none,
  muon: none,
  call: none, // of its inputs it takes no part: a block's are whole
  state: gone,
  write: gone,
  lag: gone,
  position: gone,
  source: gone,
  patches: gone,
  all_tokens: gone,
  token_mean: gone,
  mix: gone,
};

export function axesAlong({ op, attributes }: Node): readonly string[] {
  return (along[op] as (attributes: unknown) => readonly string[])(attributes);
}

const alongGraph = ({ nodes }: Graph): string[] => [...new Set(nodes.flatMap(axesAlong))];

/** `heads` for `heads'`: a linear map calls the axes it contracts so. */
export const baseName = (name: string): string => name.replace(/'+$/, "");
