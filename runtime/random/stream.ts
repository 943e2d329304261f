/**
 * Named random streams, the same on every target (runtime/format.md gives the definition another language needs).
 *
 * A stream is a row of 32-bit words: word number `i` is word `i % 4` of the Philox block with counter
 * (block low, block high, name hash low, name hash high), block = i / 4, and key = the seed. Its whole state is
 * how many words were drawn. Streams of different names never meet.
 */

import { RunError } from "../run/errors.js";
import { hashName } from "./hash.js";
import { philox4x32 } from "./philox.js";

/** A stream between two draws: plain integers, fit for JSON. */
export interface RandomState {
  /** The seed's low and high 32 bits. */
  readonly key: readonly [number, number];
  /** The name's 64-bit hash, low and high 32 bits. */
  readonly stream: readonly [number, number];
  /** How many 32-bit words were drawn: an integer below 2^53. */
  readonly drawn: number;
}

const TWO_32 = 0x100000000;

export class RandomStream {
  readonly #key: readonly [number, number];
  readonly #counter = new Uint32Array(4);
  readonly #block = new Uint32Array(4);
  #drawn: number;
  #loaded = -1; // the number of the block that #block holds

  /** @param seed an integer from 0 to 2^53 - 1 */
  constructor(seed: number, name: string) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new RunError({
        code: "bad-seed",
        what: `a seed is a whole number from 0 to 2^53 - 1, and ${seed} is not`,
        where: `random stream \`${name}\``,
        help: "give a seed such as 0 or 42",
      });
    }
    this.#key = [seed % TWO_32, Math.floor(seed / TWO_32)];
    this.#counter.set(hashName(name), 2);
    this.#drawn = 0;
  }

  /** A stream that goes on exactly where `state` was taken. */
  static from(state: RandomState): RandomStream {
    const words = [...state.key, ...state.stream];
    const valid =
      words.length === 4 &&
      words.every((word) => Number.isInteger(word) && word >= 0 && word < TWO_32);
    if (!valid || !Number.isSafeInteger(state.drawn) || state.drawn < 0) {
      throw new RunError({
        code: "bad-random-state",
        what: "the state of a random stream is damaged",
        where: `state ${JSON.stringify(state)}`,
        help: "take the state from a checkpoint as it is, or start again from a seed",
      });
    }
    const stream = new RandomStream(state.key[1] * TWO_32 + state.key[0], "");
    stream.#counter.set(state.stream, 2);
    stream.#drawn = state.drawn;
    return stream;
  }

  get state(): RandomState {
    return { key: this.#key, stream: [this.#counter[2]!, this.#counter[3]!], drawn: this.#drawn };
  }

  /** The next word: an unsigned 32-bit integer. */
  word(): number {
    const block = Math.floor(this.#drawn / 4);
    if (block !== this.#loaded) {
      this.#counter[0] = block % TWO_32;
      this.#counter[1] = Math.floor(block / TWO_32);
      philox4x32(this.#counter, this.#key, this.#block);
      this.#loaded = block;
    }
    return this.#block[this.#drawn++ % 4]!;
  }

  /** Uniform in [0, 1): a multiple of 2^-24, exact in float32. Draws one word. */
  uniform(): number {
    return (this.word() >>> 8) * 2 ** -24;
  }

  /** Standard normal, by Box-Muller in float64, rounded to float32. Always draws two words. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log((this.word() + 1) / TWO_32)); // the argument lies in (0, 1]
    return Math.fround(radius * Math.cos((2 * Math.PI * this.word()) / TWO_32));
  }

  /**
   * A whole number in [0, bound) without modulo bias: words at or above the last multiple of `bound` are drawn again.
   *
   * @param bound an integer from 1 to 2^32
   */
  integer(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > TWO_32) {
      throw new RangeError(`RandomStream.integer needs a bound from 1 to 2^32, not ${bound}`);
    }
    const limit = TWO_32 - (TWO_32 % bound);
    let word = this.word();
    while (word >= limit) word = this.word();
    return word % bound;
  }

  /** The numbers 0 to n - 1 in random order (Fisher-Yates, from the last place to the first). */
  permutation(n: number): Uint32Array {
    const order = Uint32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const kept = order[i]!;
      order[i] = order[j]!;
      order[j] = kept;
    }
    return order;
  }
}
