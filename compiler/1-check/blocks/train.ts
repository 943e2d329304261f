/** `train` blocks: what their settings come to, and what those have to do with each other. */

import type { BlockDeclaration } from "../../../grammar/ast.js";
import type { Model } from "../model.js";
import { breaks } from "./bounds.js";
import type { Data } from "./data.js";
import { readBlock } from "./owner.js";
import type { Scope } from "./schema.js";
import { unevenShare } from "./shares.js";
import { type TrainSettings, trainTable } from "./tables/train.js";
import type { Training } from "./training.js";
import { readBy, readsData } from "./reads.js";

type Partly = Partial<TrainSettings>;

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
  const steps = stepsOf(partial, data && model && readBy(model, data).time);
  const fits = [
    ratesFit(partial, scope),
    lengthsFit(partial, steps, scope),
    partsFit(partial, scope),
    model === undefined || data === undefined || readsData(model, data, scope),
  ].every(Boolean);
  if (values === null || !model || !data || steps === null || !fits) return null;
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
    ...readBy(model, data),
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

/** Updates in all, from `steps` or from `tokens`; null when they cannot be known. */
function stepsOf({ steps, tokens, batch }: Partly, time: number | undefined): number | null {
  if (typeof steps === "number") return steps;
  if (typeof tokens !== "number" || batch === undefined || time === undefined) return null;
  return Math.ceil(tokens / (batch * time));
}

/** The rate falls, it does not rise, to its floor. */
function ratesFit({ optimizer, schedule }: Partly, scope: Scope): boolean {
  if (!optimizer || !schedule || !("floor" in schedule)) return true;
  const { lr } = optimizer;
  if (schedule.floor <= lr) return true;
  const bound = {
    range: `at most the \`lr\`, ${lr}`,
    path: "optimizer.lr",
    text: `falls from ${lr}`,
    help: "lower `floor`, or raise `lr`",
  };
  return breaks("schedule.floor", schedule.floor, bound, scope);
}

/** Warm-up and decay lie within the training. */
function lengthsFit({ schedule }: Partly, steps: number | null, scope: Scope): boolean {
  if (!schedule || steps === null) return true;
  const { warmup = 0 } = schedule;
  const end = {
    path: scope.places.has("steps") ? "steps" : "tokens",
    text: `${steps} steps in all`,
    help: "shorten it, or train for more steps",
  };
  const left = steps - warmup;
  if (left <= 0) {
    const range = `below the training's ${steps} steps`;
    return breaks("schedule.warmup", warmup, { ...end, range }, scope);
  }
  if (schedule.kind !== "wsd" || schedule.decay <= left) return true;
  const range = `at most the ${left} steps behind the warm-up`;
  return breaks("schedule.decay", schedule.decay, { ...end, range }, scope);
}

function partsFit({ batch, accumulate }: Partly, { places, reporter }: Scope): boolean {
  if (batch === undefined || accumulate === undefined || batch % accumulate === 0) return true;
  reporter.report(unevenShare([batch], "sequences of a batch", accumulate, "parts"), [
    { span: places.get("accumulate")!, text: `${accumulate} parts` },
    { span: places.get("batch")!, text: `${batch} sequences` },
  ]);
  return false;
}
