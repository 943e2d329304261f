/** The settings of a `parallel` block. */

import { placement } from "../placement.js";
import { meshAxes } from "../readers/mesh.js";
import { word } from "../readers/word.js";
import { optional, requiredOr } from "../rows.js";
import type { Values } from "../schema.js";
import type { MeshAxis } from "./mesh.js";

const over = <A extends MeshAxis>(axis: A, doc: string) => ({
  reader: word({ [axis]: doc } as Record<A, string>),
  otherwise: undefined,
});

const strategies = {
  lasp2: "one all-gather of states, and of keys and values for softmax layers (Sun et al., 2025)",
  ring: "states, keys and values go from shard to shard",
};

const pipelines = {
  "1f1b": "one forward, one backward",
  gpipe: "all forward, then all backward",
  interleaved_1f1b: "1f1b with several stages a device",
};

export const parallelTable = {
  mesh: requiredOr(
    ["search"],
    meshAxes,
    "the devices along each axis; their product is the number of devices",
  ),
  sequence: optional(
    placement({
      over: over("cp", "shards of a sequence"),
      by: { reader: word(strategies), otherwise: "lasp2" as const },
    }),
    "shares out the tokens of every sequence",
  ),
  experts: optional(
    placement({ over: over("ep", "shards of the experts") }),
    "shares out the experts of every `mix`",
  ),
  heads: optional(
    placement({ over: over("tp", "shards of a layer") }),
    "shares out the heads of every layer",
  ),
  blocks: optional(
    placement({
      over: over("pp", "stages of a pipeline"),
      schedule: { reader: word(pipelines), otherwise: "1f1b" as const },
    }),
    "shares out the blocks of the stack",
  ),
  recompute: optional(
    word({ blocks: "everything inside a block", none: "nothing: all of it is kept" }),
    "what the backward pass computes again, to save memory",
  ),
  search: optional(
    word({ throughput: "the most tokens a second", memory: "the least memory a device" }),
    "finds mesh and placement",
  ),
};

export type ParallelSettings = Values<typeof parallelTable>;
