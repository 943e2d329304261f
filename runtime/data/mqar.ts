/**
 * Multi-query associative recall, made from a seed without end. A row begins with key-value pairs; later keys come
 * again as queries, and at a query the model is to say that key's value.
 *
 * Layout as in Zoology (Arora, Eyuboglu et al. 2023, arXiv:2312.04927): keys are distinct ids of the lower half of
 * the vocabulary without 0, values distinct ids of the upper half; queries stand at even distances behind the pairs,
 * the distance drawn without replacement with probability proportional to (d + 1)^(power - 1). The target at a query
 * is the value, all other positions have weight 0. Inputs between queries are 0, or with `noise` any id.
 */

import { RandomStream } from "../random/stream.js";
import { RunError } from "../run/errors.js";
import { type Row, type TokenDataset, tokenDataset } from "./dataset.js";

export interface MqarOptions {
  /** Key-value pairs in a row. Default 8. */
  readonly pairs?: number;
  /** Queries in a row, over keys in random order; beyond `pairs` they begin again. Default `pairs`. */
  readonly queries?: number;
  /** Ids in all, 0 included. Default 64. */
  readonly vocab?: number;
  /** The exponent of the gaps: 1 is uniform, near 0 most queries come early. Default 0.01, as published. */
  readonly power?: number;
  /** Whether random ids fill the space between queries. Default false. */
  readonly noise?: boolean;
}

export interface MqarPart {
  /** Different rows from one seed. */
  readonly part: "train" | "held-out";
  /** Rows in all; default without end, every one new. */
  readonly rows?: number;
}

/**
 * @param seq positions in a row
 * @throws RunError `bad-mqar`
 */
export function mqarRows(
  options: MqarOptions,
  seq: number,
  seed: number,
  { part, rows = Infinity }: MqarPart,
): TokenDataset {
  const { pairs = 8, queries = pairs, vocab = 64, power = 0.01, noise = false } = options;
  const slots = Math.floor(seq / 2) - pairs;
  const half = Math.floor(vocab / 2);
  check(pairs >= 1 && queries >= 1, "it needs at least one pair and one query");
  check(power > 0, "`power` must be above 0");
  check(
    half - 1 >= pairs,
    `${pairs} distinct keys need a vocabulary of at least ${2 * pairs + 2}, not ${vocab}`,
  );
  check(
    queries <= slots,
    `${pairs} pairs and ${queries} queries need \`seq\` ${2 * (pairs + queries)} or more, not ${seq}`,
  );
  const chances = Float64Array.from({ length: slots }, (_, d) => (d + 1) ** (power - 1));

  function fill(index: number, row: Row): void {
    const random = new RandomStream(seed, `data/mqar/${part}/${index % rows}`);
    const keys = distinct(random, half - 1, pairs).map((n) => n + 1);
    const values = distinct(random, vocab - half, pairs).map((n) => n + half);
    const asked = random.permutation(pairs);
    const places = weightedPlaces(random, chances, queries);
    if (noise) for (let t = 2 * pairs; t < seq; t++) row.tokens[t] = random.integer(vocab);
    for (let i = 0; i < pairs; i++) row.tokens.set([keys[i]!, values[i]!], 2 * i);
    places.forEach((place, i) => {
      const at = 2 * (pairs + place);
      const pair = asked[i % pairs]!;
      row.tokens[at] = keys[pair]!;
      row.targets[at] = values[pair]!;
      row.weights![at] = 1;
    });
  }

  const numbers = [pairs, queries, vocab, power, Number(noise), seq, seed];
  return tokenDataset({
    vocab,
    seq,
    rowsPerEpoch: rows,
    weighted: true,
    fingerprint: `mqar-${part}-${numbers.join("-")}`,
    fill,
  });
}

/** `count` different numbers below `bound`: the first places of a shuffle that goes no further than it must. */
function distinct(random: RandomStream, bound: number, count: number): number[] {
  const moved = new Map<number, number>();
  return Array.from({ length: count }, (_, i) => {
    const j = i + random.integer(bound - i);
    const chosen = moved.get(j) ?? j;
    moved.set(j, moved.get(i) ?? i);
    return chosen;
  });
}

/** `count` different places, each drawn in proportion to the chances of those that are left. */
function weightedPlaces(random: RandomStream, chances: Float64Array, count: number): number[] {
  const left = chances.slice();
  return Array.from({ length: count }, () => {
    let point = random.uniform() * left.reduce((sum, chance) => sum + chance, 0);
    let chosen = left.findIndex((chance) => (point -= chance) < 0);
    if (chosen < 0) chosen = left.findLastIndex((chance) => chance > 0); // rounding at the upper end
    left[chosen] = 0;
    return chosen;
  });
}

function check(condition: boolean, what: string): void {
  if (condition) return;
  throw new RunError({
    code: "bad-mqar",
    what,
    where: "generate mqar",
    help: "for example `generate mqar(pairs: 8, queries: 8, vocab: 64)` with `seq 64`",
  });
}
