/** The settings of a `convert` block. */

import { pair } from "../placement.js";
import { layerName, layerUse } from "../readers/layer.js";
import { count, number } from "../readers/number.js";
import { names, text } from "../readers/text.js";
import { variant } from "../readers/word.js";
import { optional, otherwise, required, some } from "../rows.js";
import type { Values } from "../schema.js";

const lora = {
  rank: otherwise(count, 8, "of each update"),
  alpha: optional(
    number({ above: 0 }),
    "updates are scaled by alpha / rank; twice the rank unless given",
  ),
  on: required(names, "the maps to update: names inside the new layers"),
};

export const convertTable = {
  from: required(text("checkpoints/llama"), "the folder of a Hugging Face model"),
  replace: some(
    pair(layerName, "with", layerUse),
    "a layer, and what takes its place and, where shapes agree, its weights",
  ),
  tune: otherwise(
    variant({
      all: { doc: "every weight", options: {} },
      lora: { doc: "low-rank updates (Hu et al., 2022)", options: lora },
    }),
    { kind: "all" },
    "what is trained",
  ),
};

export type ConvertSettings = Values<typeof convertTable>;
