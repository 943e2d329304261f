/** Choosing the next token from a model's logits, the same on every target for the same random stream. */

import type { RandomStream } from "../random/stream.js";
import { RunError } from "./errors.js";

export interface SampleOptions {
  /** Divides the logits; 0 takes the likeliest token. Default 1. */
  readonly temperature?: number;
  /** Only so many of the likeliest tokens; default all. */
  readonly topK?: number;
}

/**
 * The next token's id. Greedy choices draw nothing from the stream, all others one word. Of equal logits the lower
 * id is the likelier.
 *
 * @param logits [vocab]; -Infinity rules a token out
 * @throws RunError `bad-logits` when a logit is not a number or all are ruled out, `bad-sampling`
 */
export function sample(
  logits: Float32Array,
  { temperature = 1, topK = Infinity }: SampleOptions,
  random: RandomStream,
): number {
  if (!(temperature >= 0 && temperature < Infinity) || !(topK >= 1))
    throw badOptions(temperature, topK);
  const best = greatest(logits);
  if (temperature === 0) return best;
  const kept = likeliest(logits, topK);
  const highest = logits[best]!;
  const shares = Float64Array.from(kept, (id) => Math.exp((logits[id]! - highest) / temperature));
  let point = random.uniform() * shares.reduce((sum, share) => sum + share, 0);
  const chosen = shares.findIndex((share) => (point -= share) < 0);
  return chosen < 0 ? best : kept[chosen]!; // rounding at the upper end
}

function greatest(logits: Float32Array): number {
  let best = 0;
  for (let id = 0; id < logits.length; id++) {
    if (Number.isNaN(logits[id])) throw badLogits(`the logit of token ${id} is not a number`);
    if (logits[id]! > logits[best]!) best = id;
  }
  if (!Number.isFinite(logits[best])) throw badLogits(`the highest logit is ${logits[best]}`);
  return best;
}

/** The ids of the `count` highest logits, in rising order. */
function likeliest(logits: Float32Array, count: number): Uint32Array {
  const ids = Uint32Array.from(logits, (_, id) => id);
  if (count >= ids.length) return ids;
  ids.sort((a, b) => logits[b]! - logits[a]! || a - b);
  return ids.subarray(0, Math.floor(count)).sort();
}

function badLogits(what: string): RunError {
  return new RunError({
    code: "bad-logits",
    what,
    where: "the model's output",
    help: "the weights are damaged or training diverged: use an earlier checkpoint, or train with a lower `lr`",
  });
}

function badOptions(temperature: number, topK: number): RunError {
  return new RunError({
    code: "bad-sampling",
    what: `temperature ${temperature} with top-k ${topK} is impossible`,
    where: "sampling",
    help: "temperature is 0 or more, top-k is 1 or more",
  });
}
