/** Parts a corpus into what is learnt and what is held out to measure on. */

import { RandomStream } from "../random/stream.js";
import { type Corpus, documentCount, selectDocuments } from "./corpus.js";

export interface Split {
  readonly train: Corpus;
  /** Null when nothing is held out. */
  readonly heldOut: Corpus | null;
}

export interface SplitOptions {
  /** The share of tokens to hold out, from 0 to below 1. Default 0.05. */
  readonly fraction?: number;
  /**
   * `documents`: whole documents, chosen at random from the seed. `tail`: the last tokens, whatever they are.
   * Default: `documents` where there are at least 20.
   */
  readonly by?: "documents" | "tail";
  readonly seed: number;
}

const FEW_DOCUMENTS = 20;

/** Both parts keep the order of the documents; at least one document, or one token, stays for training. */
export function splitCorpus(corpus: Corpus, options: SplitOptions): Split {
  const {
    fraction = 0.05,
    by = documentCount(corpus) >= FEW_DOCUMENTS ? "documents" : "tail",
    seed,
  } = options;
  const wanted = Math.round(corpus.tokens.length * fraction);
  if (wanted === 0) return { train: corpus, heldOut: null };
  return by === "tail" ? splitTail(corpus, wanted) : splitDocuments(corpus, wanted, seed);
}

function splitTail(corpus: Corpus, wanted: number): Split {
  const { vocab, tokens, starts } = corpus;
  const cut = Math.max(1, tokens.length - wanted);
  const before = starts.filter((start) => start < cut);
  const after = starts.filter((start) => start > cut).map((start) => start - cut);
  return {
    train: { vocab, tokens: tokens.slice(0, cut), starts: Uint32Array.of(...before, cut) },
    heldOut: { vocab, tokens: tokens.slice(cut), starts: Uint32Array.of(0, ...after) },
  };
}

function splitDocuments(corpus: Corpus, wanted: number, seed: number): Split {
  const order = new RandomStream(seed, "data/split").permutation(documentCount(corpus));
  const heldOut = new Set<number>();
  let tokens = 0;
  for (const d of order) {
    if (tokens >= wanted || heldOut.size === order.length - 1) break;
    heldOut.add(d);
    tokens += corpus.starts[d + 1]! - corpus.starts[d]!;
  }
  const inOrder = [...order].sort((a, b) => a - b);
  if (heldOut.size === 0) return { train: corpus, heldOut: null };
  return {
    train: selectDocuments(
      corpus,
      inOrder.filter((d) => !heldOut.has(d)),
    ),
    heldOut: selectDocuments(
      corpus,
      inOrder.filter((d) => heldOut.has(d)),
    ),
  };
}
