/** Rows of text, for training (a fresh order every epoch) and for measuring (every token once, in order). */

import { RandomStream } from "../random/stream.js";
import { RunError } from "../run/errors.js";
import { type Corpus, documentCount, fingerprint } from "./corpus.js";
import { type TokenDataset, tokenDataset } from "./dataset.js";
import { layOut, type Line, usablePositions, writeRow } from "./rows.js";

interface Epoch {
  readonly number: number;
  readonly line: Line;
  readonly phase: number;
  readonly rows: Uint32Array;
}

/**
 * Training rows. Every epoch lays the documents end to end in a new order, cuts the line into rows from a new phase
 * (fewer than `seq` tokens are left out at the ends), and deals the rows in a new order. All three come from the
 * stream `data/epoch/<number>`, so that row `index` depends on the seed and on nothing drawn before.
 *
 * @param corpus as it is for `pack documents`, otherwise `asOneDocument`
 * @throws RunError `data-too-short`
 */
export function trainingRows(corpus: Corpus, seq: number, seed: number): TokenDataset {
  const usable = usablePositions(corpus);
  const rowsPerEpoch = Math.floor(usable / seq);
  const predicted = corpus.tokens.length - documentCount(corpus);
  if (rowsPerEpoch < 1 || predicted < 1) throw tooShort(corpus.tokens.length, seq);
  const epochs: Epoch[] = []; // the last two: a batch may span them

  function epoch(number: number): Epoch {
    const known = epochs.find((epoch) => epoch.number === number);
    if (known) return known;
    const random = new RandomStream(seed, `data/epoch/${number}`);
    const line = layOut(corpus, random.permutation(documentCount(corpus)));
    const phase = random.integer(usable - rowsPerEpoch * seq + 1);
    const made = { number, line, phase, rows: random.permutation(rowsPerEpoch) };
    epochs.unshift(made);
    epochs.length = Math.min(epochs.length, 2);
    return made;
  }

  return tokenDataset({
    vocab: corpus.vocab,
    seq,
    rowsPerEpoch,
    weighted: documentCount(corpus) > 1,
    fingerprint: fingerprint(corpus),
    fill(index, row) {
      const { line, phase, rows } = epoch(Math.floor(index / rowsPerEpoch));
      writeRow(line, phase + rows[index % rowsPerEpoch]! * seq, row);
    },
  });
}

/** Rows that hold every token of the corpus once, in order; the last one is filled up with what does not count. */
export function measuringRows(corpus: Corpus, seq: number): TokenDataset {
  const line = layOut(
    corpus,
    Uint32Array.from({ length: documentCount(corpus) }, (_, d) => d),
  );
  const rowsPerEpoch = Math.ceil(usablePositions(corpus) / seq);
  return tokenDataset({
    vocab: corpus.vocab,
    seq,
    rowsPerEpoch,
    weighted: true,
    fingerprint: fingerprint(corpus),
    fill: (index, row) => writeRow(line, (index % rowsPerEpoch) * seq, row),
  });
}

function tooShort(tokens: number, seq: number): RunError {
  return new RunError({
    code: "data-too-short",
    what: `the data has ${tokens} tokens, and one sequence takes ${seq + 1}`,
    where: `seq ${seq}`,
    help: "give more text, or make `seq` smaller",
  });
}
