/** Token ids: the arrays that hold many of them, and the check every decoder makes. */

import { RunError } from "../run/errors.js";

/** Ids of a whole corpus, in the narrowest array that holds the vocabulary. */
export type TokenArray = Uint8Array | Uint16Array | Int32Array;

/** A zeroed array for `length` ids below `vocab`. */
export function tokenArray(vocab: number, length: number): TokenArray {
  if (vocab <= 0x100) return new Uint8Array(length);
  if (vocab <= 0x10000) return new Uint16Array(length);
  return new Int32Array(length);
}

/** @throws RunError `bad-token-id` unless every id is a whole number from 0 to vocab - 1 */
export function checkIds(ids: ArrayLike<number>, vocab: number): void {
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    if (Number.isInteger(id) && id >= 0 && id < vocab) continue;
    throw new RunError({
      code: "bad-token-id",
      what: `token id ${id} is outside the tokenizer's 0 to ${vocab - 1}`,
      where: `position ${i}`,
      help: "use the tokenizer the model was trained with",
    });
  }
}
