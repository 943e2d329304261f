/** A corpus: all documents' ids in one array, with the places where documents begin. */

import { RunError } from "../run/errors.js";
import { type TokenArray, tokenArray } from "./ids.js";
import type { Document } from "./text.js";
import type { Tokenizer } from "./tokenizer.js";

export interface Corpus {
  readonly vocab: number;
  readonly tokens: TokenArray;
  /** Document d takes the tokens from starts[d] up to starts[d + 1]; its length is one more than their number. */
  readonly starts: Uint32Array;
}

export interface CorpusOptions {
  /** An id put behind every document, for tokenizers that have one for the end of a text. Default none. */
  readonly separator?: number | null;
}

/** Tokenizes documents as they come. @throws RunError `data-empty`, or what the tokenizer raises */
export async function buildCorpus(
  documents: AsyncIterable<Document> | Iterable<Document>,
  tokenizer: Tokenizer,
  { separator = null }: CorpusOptions = {},
): Promise<Corpus> {
  const pieces: TokenArray[] = [];
  const starts = [0];
  let total = 0;
  for await (const { text } of documents) {
    const ids = tokenizer.encode(text);
    if (ids.length === 0) continue; // some tokenizers drop white space altogether
    const piece = tokenArray(tokenizer.vocab, ids.length + (separator === null ? 0 : 1));
    piece.set(ids);
    if (separator !== null) piece[ids.length] = separator;
    pieces.push(piece);
    starts.push((total += piece.length));
  }
  if (total === 0) throw noTokens();
  const tokens = tokenArray(tokenizer.vocab, total);
  pieces.forEach((piece, d) => tokens.set(piece, starts[d]!));
  return { vocab: tokenizer.vocab, tokens, starts: Uint32Array.from(starts) };
}

export function documentCount(corpus: Corpus): number {
  return corpus.starts.length - 1;
}

/** The same tokens as one text without boundaries: what a model without `pack documents` learns from. */
export function asOneDocument(corpus: Corpus): Corpus {
  return { ...corpus, starts: Uint32Array.of(0, corpus.tokens.length) };
}

/** The corpus that holds the given documents, in the given order. */
export function selectDocuments(corpus: Corpus, chosen: readonly number[]): Corpus {
  const starts = new Uint32Array(chosen.length + 1);
  chosen.forEach(
    (d, i) => (starts[i + 1] = starts[i]! + corpus.starts[d + 1]! - corpus.starts[d]!),
  );
  const tokens = tokenArray(corpus.vocab, starts[chosen.length]!);
  chosen.forEach((d, i) =>
    tokens.set(corpus.tokens.subarray(corpus.starts[d], corpus.starts[d + 1]), starts[i]),
  );
  return { vocab: corpus.vocab, tokens, starts };
}

/** A short name of exactly this corpus: documents, tokens, and FNV-1a (32 bits) over starts and ids. */
export function fingerprint({ tokens, starts }: Corpus): string {
  let hash = 0x811c9dc5;
  for (const numbers of [starts, tokens]) {
    for (const number of numbers) hash = Math.imul(hash ^ number, 0x01000193);
  }
  return `${starts.length - 1}-${tokens.length}-${(hash >>> 0).toString(16).padStart(8, "0")}`;
}

function noTokens(): RunError {
  return new RunError({
    code: "data-empty",
    what: "the data gives no tokens",
    where: "the corpus",
    help: "name files with some text in them, or check the tokenizer",
  });
}
