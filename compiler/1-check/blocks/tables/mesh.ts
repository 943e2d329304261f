/** The axes of a mesh. */

import { count } from "../readers/number.js";
import { otherwise } from "../rows.js";
import type { Values } from "../schema.js";

/** The axes, outermost first, as torchtitan names them. Their product is the number of devices. */
export const meshTable = {
  pp: otherwise(count, 1, "pipeline stages: each has some of the blocks"),
  dp_replicate: otherwise(count, 1, "copies of the model, each with its share of a batch"),
  dp_shard: otherwise(
    count,
    1,
    "shards of weights and optimiser (FSDP), each with its share of a batch",
  ),
  cp: otherwise(count, 1, "shards of every sequence"),
  tp: otherwise(count, 1, "shards of every layer, by its heads"),
  ep: otherwise(
    count,
    1,
    "shards of the experts; other layers take it as further shards of the batch",
  ),
};

export type MeshAxes = Values<typeof meshTable>;
export type MeshAxis = keyof MeshAxes;
