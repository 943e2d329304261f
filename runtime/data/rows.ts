/**
 * Documents laid end to end in some order, cut into rows. A position's target is the token after it in the same
 * document; a document's last token has none, so its weight is 0: nothing is predicted across documents.
 */

import type { Corpus } from "./corpus.js";
import type { Row } from "./dataset.js";

/** Documents in an order, and where each begins in the line they form. */
export interface Line {
  readonly corpus: Corpus;
  readonly order: Uint32Array;
  /** begins[i] is the place of document order[i]; the last element is the line's length. */
  readonly begins: Float64Array;
}

export function layOut(corpus: Corpus, order: Uint32Array): Line {
  const begins = new Float64Array(order.length + 1);
  order.forEach((d, i) => (begins[i + 1] = begins[i]! + corpus.starts[d + 1]! - corpus.starts[d]!));
  return { corpus, order, begins };
}

/** How many positions of a corpus can stand in a row: without boundaries, the last token is only ever a target. */
export function usablePositions({ tokens, starts }: Corpus): number {
  return starts.length > 2 ? tokens.length : tokens.length - 1;
}

/** Writes the row that begins at place `from` of the line; what lies past its end stays 0, weights included. */
export function writeRow({ corpus, order, begins }: Line, from: number, row: Row): void {
  const { tokens, starts } = corpus;
  let at = lastAtMost(begins, from);
  for (let t = 0, document = 0; t < row.tokens.length && at < order.length; at++, document++) {
    const end = starts[order[at]! + 1]!;
    let token = starts[order[at]!]! + from + t - begins[at]!;
    for (; token < end && t < row.tokens.length; token++, t++) {
      const counts = token + 1 < end;
      row.tokens[t] = tokens[token]!;
      row.targets[t] = counts ? tokens[token + 1]! : 0;
      row.documents[t] = document;
      if (row.weights) row.weights[t] = counts ? 1 : 0;
    }
  }
}

/** The index of the last element that is at most `value`, in a rising array whose first is. */
function lastAtMost(rising: Float64Array, value: number): number {
  let low = 0;
  let high = rising.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (rising[middle]! <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
