/**
 * What counting alone achieves: the loss a model has to beat. Losses are in nats a token, measured on held-out text
 * over the same predictions a model makes there (none across documents).
 */

import { type Corpus, documentCount } from "./corpus.js";

export interface Baselines {
  /** Guessing every token by how often it occurs. */
  readonly unigram: number;
  /** Guessing by how often it follows the token before it. */
  readonly bigram: number;
}

/** The counts added to every possibility; the one that does best on the held-out text is taken, to the baseline's good. */
const DELTAS = [1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001] as const;

export function baselines(train: Corpus, heldOut: Corpus): Baselines {
  return { unigram: unigramLoss(train, heldOut), bigram: bigramLoss(train, heldOut) };
}

/** Add-delta unigram model, NaN when the held-out text has no predictions. @returns nats a token */
export function unigramLoss(
  train: Corpus,
  heldOut: Corpus,
  deltas: readonly number[] = DELTAS,
): number {
  const { vocab } = train;
  const counts = new Float64Array(vocab);
  for (const token of train.tokens) counts[token]!++;
  const total = train.tokens.length;
  return leastMean(
    deltas,
    heldOut,
    (delta) => (_, next) => (counts[next]! + delta) / (total + delta * vocab),
  );
}

/** Add-delta bigram model, NaN when the held-out text has no predictions. @returns nats a token */
export function bigramLoss(
  train: Corpus,
  heldOut: Corpus,
  deltas: readonly number[] = DELTAS,
): number {
  const { vocab } = train;
  const pairs = pairCounts(train);
  const before = new Float64Array(vocab);
  eachPrediction(train, (previous) => before[previous]!++);
  return leastMean(deltas, heldOut, (delta) => (previous, next) => {
    return (pairs(previous, next) + delta) / (before[previous]! + delta * vocab);
  });
}

const DENSE_LIMIT = 4096; // above so large a vocabulary, only pairs that occur are kept

function pairCounts(train: Corpus): (previous: number, next: number) => number {
  const { vocab } = train;
  if (vocab <= DENSE_LIMIT) {
    const table = new Uint32Array(vocab * vocab);
    eachPrediction(train, (previous, next) => table[previous * vocab + next]!++);
    return (previous, next) => table[previous * vocab + next]!;
  }
  const seen = new Map<number, number>();
  eachPrediction(train, (previous, next) => {
    const pair = previous * vocab + next;
    seen.set(pair, (seen.get(pair) ?? 0) + 1);
  });
  return (previous, next) => seen.get(previous * vocab + next) ?? 0;
}

type Model = (previous: number, next: number) => number;

function leastMean(
  deltas: readonly number[],
  heldOut: Corpus,
  model: (delta: number) => Model,
): number {
  const losses = deltas.map((delta) => {
    const probability = model(delta);
    let sum = 0;
    let count = 0;
    eachPrediction(heldOut, (previous, next) => {
      sum -= Math.log(probability(previous, next));
      count++;
    });
    return sum / count;
  });
  return Math.min(...losses);
}

/** Calls `visit` for every token and the one that follows it in the same document. */
function eachPrediction(corpus: Corpus, visit: (previous: number, next: number) => void): void {
  const { tokens, starts } = corpus;
  for (let d = 0; d < documentCount(corpus); d++) {
    for (let i = starts[d]! + 1; i < starts[d + 1]!; i++) visit(tokens[i - 1]!, tokens[i]!);
  }
}
