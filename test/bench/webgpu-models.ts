/** The models of the WebGPU bench: those of examples/, at their own sizes, and one small enough for a processor. */

import { readFileSync } from "node:fs";

export interface BenchModel {
  readonly source: string;
  readonly batch: number;
  readonly time: number;
}

/** The first model of an example with the layers before it: what stands before its first `data` block. */
function example(path: string): string {
  const text = readFileSync(path, "utf8");
  const [before] = text.split(/^data /m);
  const models = before!.split(/(?=^(?:\/\/\/[^\n]*\n)*model )/m);
  return models.slice(0, 2).join("");
}

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
