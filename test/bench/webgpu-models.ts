/** The models of the WebGPU bench: those of examples/, at their own sizes, and one small enough for a processor. */

import { readFileSync } from "node:fs";

export interface BenchModel {
  readonly source: string;
  readonly batch: number;
  readonly time: number;
}

/** The layers and models of an example, of which the first model is taken: what stands before its `data`. */
const example = (path: string): string => readFileSync(path, "utf8").split(/^data /m)[0]!;

const own = (blocks: string, width: number, vocab = 256): string =>
  `model M { language_model(vocab: ${vocab}, width: ${width}, blocks: ${blocks}) }`;

export const benchModels: Readonly<Record<string, BenchModel>> = {
  tiny: {
    source: own("[Block(GLA(heads: 2), MoE(experts: 2, top_k: 1, hidden: 8))]", 16),
    batch: 1,
    time: 16,
  },
  moby: { source: example("examples/moby/moby.lsm"), batch: 8, time: 128 },
  recall: { source: example("examples/recall/recall.lsm"), batch: 16, time: 64 },
  "gla-10m": {
    source: own("[Block(GLA(heads: 4), swiglu(hidden: 1024))] * 6", 384),
    batch: 8,
    time: 1024,
  },
};
