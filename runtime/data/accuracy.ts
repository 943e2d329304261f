/** How many of the predictions that count are right: recall on generated data, next-token accuracy on text. */

import type { TokenBatch } from "./batches.js";

export interface Accuracy {
  readonly right: number;
  readonly counted: number;
}

/** @param predicted the likeliest id at every position, [rows * seq] */
export function accuracy(predicted: ArrayLike<number>, { targets, weights }: TokenBatch): Accuracy {
  let right = 0;
  let counted = 0;
  for (let i = 0; i < targets.length; i++) {
    if (weights !== null && weights[i] === 0) continue;
    counted++;
    if (predicted[i] === targets[i]) right++;
  }
  return { right, counted };
}

/** The likeliest id at every position; the lowest of equals. @param logits [positions, vocab] */
export function argmax(logits: ArrayLike<number>, vocab: number): Int32Array {
  return Int32Array.from({ length: logits.length / vocab }, (_, position) => {
    const from = position * vocab;
    let best = 0;
    for (let id = 1; id < vocab; id++) if (logits[from + id]! > logits[from + best]!) best = id;
    return best;
  });
}
