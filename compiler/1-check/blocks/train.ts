/** `train` blocks: their settings, and what those have to do with each other. */

import type { BlockDeclaration } from "../../../grammar/ast.js";
import { messages } from "../../diagnostics/messages.generated.js";
import type { Model } from "../model.js";
import { breaks } from "./bounds.js";
import type { Data } from "./data.js";
import { excludeEach } from "./exclusive.js";
import { every, optional, otherwise, required } from "./forms.js";
import { readBlock } from "./owner.js";
import { count, number, numberOrNone } from "./readers/number.js";
import { textWith } from "./readers/options.js";
import { reference } from "./readers/reference.js";
import { text, two } from "./readers/text.js";
import { variant, word } from "./readers/word.js";
import type { Scope, Values } from "./schema.js";
import type { Training } from "./training.js";
import { vocabularyFits } from "./vocabulary.js";

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
  optimizer: required(
    variant({ adamw: { doc: "AdamW (Loshchilov & Hutter, 2019)", options: adamw } }),
    "how weights follow gradients",
  ),
  schedule: otherwise(
    variant(schedules),
    { kind: "constant", warmup: 0 },
    "the learning rate over time",
  ),
  batch: required(count, "sequences in one update, over all devices"),
  steps: optional(count, "updates in all; or give `tokens`"),
  tokens: optional(count, "tokens to train on, instead of `steps`"),
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

type Settings = Values<typeof trainTable>;

/** What other blocks and the models come to; a name whose value is missing had mistakes of its own. */
export interface Surroundings {
  readonly data: ReadonlyMap<string, Data>;
  readonly models: ReadonlyMap<string, Model>;
}

/** Null when anything in the block is wrong (reported), or in the data it names. */
export function checkTrain(
  block: BlockDeclaration,
  around: Surroundings,
  scope: Scope,
): Training | null {
  const { values, partial } = readBlock(trainTable, block, scope);
  const data = partial.data === undefined ? undefined : around.data.get(partial.data);
  const model = partial.model === undefined ? undefined : around.models.get(partial.model);
  const steps = stepsOf(partial, data, block, scope);
  const fits = [
    excludeEach("tokens", ["steps"], scope),
    ratesFit(partial, scope),
    lengthsFit(partial, steps, scope),
    partsFit(partial, scope),
    model === undefined || data === undefined || vocabularyFits(model, data, scope),
  ].every(Boolean);
  if (values === null || data === undefined || steps === null || !fits) return null;
  const {
    optimizer,
    schedule,
    batch,
    clip,
    precision,
    accumulate,
    checkpoint,
    evaluate,
    seed,
    sample,
  } = values;
  return {
    name: block.name.name,
    doc: block.doc,
    model: values.model,
    data,
    optimizer,
    schedule,
    batch,
    steps,
    clip,
    precision,
    accumulate,
    checkpointEvery: checkpoint,
    evaluateEvery: evaluate,
    seed,
    sample,
  };
}

/** Updates in all, from `steps` or from `tokens`; null when neither says it. */
function stepsOf(
  { steps, tokens, batch }: Partial<Settings>,
  data: Data | undefined,
  block: BlockDeclaration,
  { places, reporter }: Scope,
): number | null {
  if (typeof steps === "number") return steps;
  if (typeof tokens === "number")
    return batch === undefined || data === undefined
      ? null
      : Math.ceil(tokens / (batch * data.seq));
  if (!places.has("steps") && !places.has("tokens"))
    reporter.report(
      messages.missingSetting({ kind: "train", name: block.name.name, key: "steps" }),
      [{ span: block.name.span, text: "no end is given" }],
      "for example `steps 1000`, or `tokens 10M`",
    );
  return null;
}

/** The rate falls, it does not rise, to its floor. */
function ratesFit({ optimizer, schedule }: Partial<Settings>, scope: Scope): boolean {
  if (!optimizer || !schedule || !("floor" in schedule) || schedule.floor <= optimizer.lr)
    return true;
  const { lr } = optimizer;
  return breaks(
    "schedule.floor",
    schedule.floor,
    { range: `at most the \`lr\`, ${lr}`, path: "optimizer.lr", text: `falls from ${lr}` },
    scope,
  );
}

/** Warm-up and decay lie within the training. */
function lengthsFit({ schedule }: Partial<Settings>, steps: number | null, scope: Scope): boolean {
  if (!schedule || steps === null) return true;
  const path = scope.places.has("steps") ? "steps" : "tokens";
  const { warmup = 0 } = schedule;
  const text = `${steps} steps in all`;
  if (warmup >= steps)
    return breaks(
      "schedule.warmup",
      warmup,
      { range: `below the training's ${steps} steps`, path, text },
      scope,
    );
  if (schedule.kind !== "wsd" || schedule.decay <= steps - warmup) return true;
  const range = `at most the ${steps - warmup} steps behind the warm-up`;
  return breaks("schedule.decay", schedule.decay, { range, path, text }, scope);
}

function partsFit({ batch, accumulate }: Partial<Settings>, { places, reporter }: Scope): boolean {
  if (batch === undefined || accumulate === undefined || batch % accumulate === 0) return true;
  reporter.report(
    messages.unevenShare({
      count: batch,
      what: "sequences of a batch",
      parts: accumulate,
      part: "parts",
    }),
    [
      { span: places.get("accumulate")!, text: `${accumulate} parts` },
      { span: places.get("batch")!, text: `${batch} sequences` },
    ],
  );
  return false;
}
