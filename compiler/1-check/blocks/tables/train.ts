/** The settings of a `train` block. */

import { every } from "../forms.js";
import { count, number, numberOrNone } from "../readers/number.js";
import { textWith } from "../readers/options.js";
import { reference } from "../readers/reference.js";
import { text, two } from "../readers/text.js";
import { variant, word } from "../readers/word.js";
import { optional, otherwise, required, requiredOr } from "../rows.js";
import type { Values } from "../schema.js";

const updates = number({ whole: true, from: 0 });
const rate = number({ from: 0 });
const warmup = otherwise(updates, 0, "updates over which the rate rises in a straight line");
const floor = otherwise(rate, 0, "the learning rate at the end");

const adamw = {
  lr: required(number({ above: 0 }), "the peak learning rate"),
  betas: otherwise(
    two(number({ from: 0, below: 1 })),
    [0.9, 0.95],
    "how much of the running means of g and g² stays at each update",
  ),
  decay: otherwise(rate, 0.1, "decoupled weight decay"),
  epsilon: otherwise(number({ above: 0 }), 1e-8, "added to √v"),
};

/** AdamW trains what Muon does not, at the same rate and decay. */
const muon = {
  lr: adamw.lr,
  momentum: otherwise(
    number({ from: 0, below: 1 }),
    0.95,
    "how much of the running sum of gradients stays at each update (Nesterov's)",
  ),
  decay: adamw.decay,
  iterations: otherwise(count, 5, "of Newton–Schulz, which makes an update orthogonal"),
  betas: otherwise(two(number({ from: 0, below: 1 })), [0.9, 0.95], "AdamW's"),
  epsilon: otherwise(number({ above: 0 }), 1e-8, "AdamW's, added to √v"),
};

const optimizers = {
  adamw: { doc: "AdamW (Loshchilov & Hutter, 2019)", options: adamw },
  muon: {
    doc: "Muon (Jordan et al., 2024) for matrices of products, its updates as large as AdamW's (Liu et al., 2025); AdamW for the rest",
    options: muon,
  },
};

const schedules = {
  constant: { doc: "the same rate throughout, after the warm-up", options: { warmup } },
  linear: {
    doc: "straight down from the end of the warm-up to the end",
    options: { warmup, floor },
  },
  cosine: {
    doc: "half a cosine from the end of the warm-up to the end",
    options: { warmup, floor },
  },
  wsd: {
    doc: "warm-up, stable, then straight down (Hu et al., 2024)",
    options: {
      warmup,
      decay: required(count, "updates over which the rate falls, at the end"),
      floor,
    },
  },
};

const sampled = {
  prompt: required(text("Call me"), "the text to go on from"),
  length: otherwise(count, 200, "tokens to write"),
  temperature: otherwise(rate, 0.8, "divides the logits; 0 takes the likeliest token"),
};

export const trainTable = {
  model: required(reference("model"), "the model to train"),
  data: required(reference("data"), "what it learns from"),
  optimizer: required(variant(optimizers), "how weights follow gradients"),
  schedule: otherwise(
    variant(schedules),
    { kind: "constant", warmup: 0 },
    "the learning rate over time",
  ),
  batch: required(count, "sequences in one update, over all devices"),
  steps: requiredOr(["tokens"], count, "updates in all"),
  tokens: optional(count, "tokens to train on"),
  clip: otherwise(numberOrNone({ above: 0 }), 1, "the largest norm of the gradients"),
  precision: otherwise(
    word({
      fp32: "single precision",
      bf16: "bfloat16 with float32 weights",
      fp16: "half precision with loss scaling",
    }),
    "fp32",
    "what activations and gradients are computed in",
  ),
  accumulate: otherwise(
    count,
    1,
    "parts in which the gradients of one update are computed, to save memory",
  ),
  checkpoint: optional(
    every(count),
    "updates between two checkpoints; without it there is one at the end",
  ),
  evaluate: optional(
    every(count),
    "updates between two measurements on held-out data; without it there is one at the end",
  ),
  seed: otherwise(number({ whole: true, from: 0 }), 0, "of all random streams"),
  sample: optional(textWith("text", sampled), "what the model goes on writing from at the end"),
};

export type TrainSettings = Values<typeof trainTable>;
