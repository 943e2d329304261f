import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { accuracy, argmax } from "../runtime/data/accuracy.js";
import { baselines, bigramLoss, unigramLoss } from "../runtime/data/baselines.js";
import { BatchStream, type TokenBatch, evaluationBatches } from "../runtime/data/batches.js";
import { asOneDocument, buildCorpus, type Corpus, fingerprint } from "../runtime/data/corpus.js";
import { dataChanged } from "../runtime/data/dataset.js";
import { mqarRows } from "../runtime/data/mqar.js";
import { splitCorpus } from "../runtime/data/split.js";
import { measuringRows, trainingRows } from "../runtime/data/text-dataset.js";
import { bytesTokenizer } from "../runtime/data/tokenizer-bytes.js";
import { RandomStream } from "../runtime/random/stream.js";
import { RunError } from "../runtime/run/errors.js";

/** Documents whose tokens say where they come from: document d, place i becomes 100 d + i. */
function corpusOf(lengths: readonly number[]): Corpus {
  const starts = Uint32Array.of(
    0,
    ...lengths.map((_, d) => lengths.slice(0, d + 1).reduce((a, b) => a + b, 0)),
  );
  const tokens = Int32Array.from(
    lengths.flatMap((length, d) => Array.from({ length }, (_, i) => 100 * d + i)),
  );
  return { vocab: 100 * lengths.length, tokens, starts };
}

const lengths = fc
  .array(fc.integer({ min: 1, max: 40 }), { minLength: 2, maxLength: 8 })
  .filter((l) => l.some((n) => n > 1));
const settings = fc.record({
  lengths,
  seq: fc.integer({ min: 1, max: 12 }),
  seed: fc.nat(99),
  pack: fc.boolean(),
});

/** The data set of some settings, or null when the corpus is too short for them. */
function datasetOf({
  lengths,
  seq,
  seed,
  pack,
}: {
  lengths: number[];
  seq: number;
  seed: number;
  pack: boolean;
}) {
  const corpus = corpusOf(lengths);
  if (corpus.tokens.length <= seq) return null;
  return trainingRows(pack ? corpus : asOneDocument(corpus), seq, seed);
}

test("batches taken up at any position equal the uninterrupted ones", () => {
  fc.assert(
    fc.property(settings, fc.integer({ min: 1, max: 5 }), fc.nat(12), (given, rows, skip) => {
      const dataset = datasetOf(given);
      if (!dataset) return;
      const whole = new BatchStream(dataset, rows);
      for (let i = 0; i < skip; i++) whole.next();
      const resumed = new BatchStream(datasetOf(given)!, rows, whole.position);
      for (let i = 0; i < 4; i++) expect(resumed.next()).toEqual(whole.next());
    }),
  );
});

test("packing never leaks across documents: neither targets nor document numbers", () => {
  fc.assert(
    fc.property(settings, (given) => {
      const dataset = datasetOf({ ...given, pack: true });
      if (!dataset) return;
      const { tokens, targets, weights, documents, seq } = new BatchStream(dataset, 6).next();
      tokens.forEach((token, i) => {
        const document = Math.floor(token / 100);
        const last = token % 100 === given.lengths[document]! - 1;
        expect(weights![i]).toBe(last ? 0 : 1);
        if (!last) expect(targets[i]).toBe(token + 1);
        const first = i % seq === 0;
        if (first) expect(documents[i]).toBe(0);
        else expect(documents[i]! - documents[i - 1]!).toBe(token % 100 === 0 ? 1 : 0);
        if (!first && documents[i] === documents[i - 1]) expect(token).toBe(tokens[i - 1]! + 1);
      });
    }),
  );
});

test("without packing, rows are stretches of the text and every position counts", () => {
  fc.assert(
    fc.property(settings, (given) => {
      const dataset = datasetOf({ ...given, pack: false });
      if (!dataset) return;
      const text = corpusOf(given.lengths).tokens;
      const { tokens, targets, weights, documents, seq } = new BatchStream(dataset, 5).next();
      expect(weights).toBeNull();
      expect(documents.every((d) => d === 0)).toBe(true);
      for (let r = 0; r < 5; r++) {
        const from = text.indexOf(tokens[r * seq]!);
        expect(tokens.slice(r * seq, (r + 1) * seq)).toEqual(
          Int32Array.from(text.slice(from, from + seq)),
        );
        expect(targets.slice(r * seq, (r + 1) * seq)).toEqual(
          Int32Array.from(text.slice(from + 1, from + 1 + seq)),
        );
      }
    }),
  );
});

test("an epoch deals every row once, and the next epoch in another order", () => {
  const dataset = trainingRows(asOneDocument(corpusOf([99, 99])), 4, 3);
  const epoch = (n: number) => {
    const { tokens } = new BatchStream(
      dataset,
      dataset.rowsPerEpoch,
      n * dataset.rowsPerEpoch,
    ).next();
    return [...tokens].filter((_, i) => i % 4 === 0);
  };
  const sorted = (a: number[]) => [...a].sort((x, y) => x - y);
  expect(new Set(epoch(0)).size).toBe(dataset.rowsPerEpoch);
  expect(sorted(epoch(0)).every((token, i, all) => i === 0 || token - all[i - 1]! >= 4)).toBe(true);
  expect(epoch(0)).not.toEqual(epoch(1));
  expect(epoch(0)).not.toEqual(sorted(epoch(0)));
});

test("measuring visits every prediction once and fills the last batch with rows that do not count", () => {
  fc.assert(
    fc.property(settings, fc.integer({ min: 1, max: 4 }), ({ lengths, seq, pack }, rows) => {
      const corpus = pack ? corpusOf(lengths) : asOneDocument(corpusOf(lengths));
      const seen: number[] = [];
      for (const batch of evaluationBatches(measuringRows(corpus, seq), rows)) {
        expect(batch.tokens).toHaveLength(rows * seq);
        batch.tokens.forEach((token, i) => batch.weights![i] === 1 && seen.push(token));
      }
      const expected = corpusOf(lengths).tokens.filter((_, i) => !corpus.starts.includes(i + 1));
      expect(seen).toEqual([...expected]);
    }),
  );
});

describe("the split", () => {
  test("parts all tokens in two, whole documents or at the tail", () => {
    fc.assert(
      fc.property(
        lengths,
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        fc.nat(),
        (lengths, fraction, seed) => {
          const corpus = corpusOf(lengths);
          for (const by of ["documents", "tail"] as const) {
            const { train, heldOut } = splitCorpus(corpus, { fraction, by, seed });
            const both = [...train.tokens, ...(heldOut?.tokens ?? [])];
            expect(new Set(both)).toEqual(new Set(corpus.tokens));
            expect(both).toHaveLength(corpus.tokens.length);
            expect(train.tokens.length).toBeGreaterThan(0);
            for (const part of [train, heldOut]) {
              if (!part) continue;
              expect(part.starts.at(-1)).toBe(part.tokens.length);
              const inside = [...part.starts]
                .slice(1, -1)
                .every((start) => part.tokens[start]! % 100 === 0);
              expect(inside).toBe(true);
            }
            if (by === "documents" && heldOut)
              expect(
                [...heldOut.starts].slice(0, -1).every((s) => heldOut.tokens[s]! % 100 === 0),
              ).toBe(true);
          }
        },
      ),
    );
  });

  test("holds out about the share asked for", () => {
    const { train, heldOut } = splitCorpus(corpusOf(Array(50).fill(20)), { seed: 1 });
    expect(train.starts).toHaveLength(48); // 47 documents stay: 60 of 1000 tokens are held out
    expect(heldOut!.tokens).toHaveLength(60);
  });
});

describe("a corpus", () => {
  const documents = [
    { name: "a", text: "ab" },
    { name: "b", text: "" },
    { name: "c", text: "é" },
  ];

  test("keeps document boundaries, and a separator when asked", async () => {
    const plain = await buildCorpus(documents, bytesTokenizer);
    expect([...plain.tokens]).toEqual([97, 98, 195, 169]);
    expect([...plain.starts]).toEqual([0, 2, 4]);
    const separated = await buildCorpus(documents, bytesTokenizer, { separator: 0 });
    expect([...separated.tokens]).toEqual([97, 98, 0, 195, 169, 0]);
    expect(fingerprint(plain)).not.toBe(fingerprint(separated));
    expect(fingerprint(plain)).toBe(fingerprint(await buildCorpus(documents, bytesTokenizer)));
    const rows = trainingRows(plain, 2, 0);
    expect(dataChanged({ fingerprint: fingerprint(plain) }, rows)).toBeNull();
    expect(dataChanged({ fingerprint: fingerprint(separated) }, rows)).toContain("2-6-");
  });

  test("that is empty or too short for a row is a RunError", async () => {
    await expect(buildCorpus([], bytesTokenizer)).rejects.toThrow(RunError);
    const short = await buildCorpus(documents, bytesTokenizer);
    expect(() => trainingRows(short, 64, 0)).toThrow(/4 tokens, and one sequence takes 65/);
    expect(() => new BatchStream(trainingRows(short, 2, 0), 1, -1)).toThrow(RunError);
  });
});

describe("multi-query associative recall", () => {
  const options = { pairs: 4, queries: 6, vocab: 32 };
  const batch = (noise: boolean, rows = 20): TokenBatch =>
    new BatchStream(mqarRows({ ...options, noise }, 40, 5, { part: "train" }), rows).next();

  test.each([false, true])("every row is Zoology's layout (noise %s)", (noise) => {
    const { tokens, targets, weights, rows, seq } = batch(noise);
    for (let r = 0; r < rows; r++) {
      const row = tokens.subarray(r * seq, (r + 1) * seq);
      const memory = new Map<number, number>();
      for (let i = 0; i < 4; i++) memory.set(row[2 * i]!, row[2 * i + 1]!);
      expect(memory.size).toBe(4);
      expect(new Set(memory.values()).size).toBe(4);
      for (const [key, value] of memory)
        expect(key >= 1 && key < 16 && value >= 16 && value < 32).toBe(true);
      let queries = 0;
      row.forEach((token, t) => {
        if (weights![r * seq + t] === 0) {
          if (!noise && t >= 8) expect(token).toBe(0);
          return;
        }
        queries++;
        expect(t >= 8 && t % 2 === 0).toBe(true);
        expect(targets[r * seq + t]).toBe(memory.get(token));
      });
      expect(queries).toBe(6);
    }
  });

  test("rows are the same when asked again, new each time, and others are held out", () => {
    expect(batch(false)).toEqual(batch(false));
    const { tokens, seq, rows } = batch(false);
    const texts = new Set(
      Array.from({ length: rows }, (_, r) => tokens.subarray(r * seq, (r + 1) * seq).join()),
    );
    expect(texts.size).toBe(rows);
    const held = [...evaluationBatches(mqarRows(options, 40, 5, { part: "held-out", rows: 3 }), 2)];
    expect(held).toHaveLength(2);
    expect(held[1]!.weights!.subarray(40).every((w) => w === 0)).toBe(true);
    expect(texts.has(held[0]!.tokens.subarray(0, 40).join())).toBe(false);
  });

  test("gaps follow the power law", () => {
    const dataset = mqarRows({ pairs: 1, queries: 1, vocab: 8, power: 0.01 }, 18, 1, {
      part: "train",
    });
    const { weights, rows, seq } = new BatchStream(dataset, 4000).next();
    const found = new Float64Array(8);
    for (let r = 0; r < rows; r++)
      found[(weights!.subarray(r * seq, (r + 1) * seq).indexOf(1) - 2) / 2]! += 1 / rows;
    const chances = Array.from({ length: 8 }, (_, d) => (d + 1) ** -0.99);
    const sum = chances.reduce((a, b) => a + b);
    found.forEach((share, d) => expect(share).toBeCloseTo(chances[d]! / sum, 1));
  });

  test("impossible sizes say what would fit", () => {
    const make = (o: object, seq: number) => () => mqarRows(o, seq, 0, { part: "train" });
    expect(make({ pairs: 8, queries: 8 }, 30)).toThrow(/need `seq` 32 or more, not 30/);
    expect(make({ pairs: 40 }, 512)).toThrow(/vocabulary of at least 82/);
    expect(make({ pairs: 0 }, 64)).toThrow(RunError);
    expect(make({ power: 0 }, 64)).toThrow(RunError);
  });

  test("accuracy counts the positions with weight", () => {
    const one = batch(false, 1);
    const right = accuracy(one.targets, one);
    expect(right).toEqual({ right: 6, counted: 6 });
    expect(accuracy(new Int32Array(40), one)).toEqual({ right: 0, counted: 6 });
    expect([...argmax([0, 3, 3, 2, 1, 0], 3)]).toEqual([1, 0]);
  });
});

describe("baselines", () => {
  test("an order-one source is learnt to its entropy by pairs, and not by single tokens", () => {
    const random = new RandomStream(0, "markov");
    const chain = (n: number) => {
      const tokens = new Uint8Array(n);
      for (let i = 1; i < n; i++)
        tokens[i] = random.uniform() < 0.9 ? (tokens[i - 1]! + 1) % 4 : random.integer(4);
      return { vocab: 4, tokens, starts: Uint32Array.of(0, n) };
    };
    const { unigram, bigram } = baselines(chain(20000), chain(20000));
    const entropy = -(0.925 * Math.log(0.925) + 3 * 0.025 * Math.log(0.025));
    expect(bigram).toBeCloseTo(entropy, 1);
    expect(unigram).toBeCloseTo(Math.log(4), 2);
  });

  test("small cases by hand, without predictions across documents", () => {
    const train = { vocab: 2, tokens: Uint8Array.of(0, 1, 0, 1), starts: Uint32Array.of(0, 2, 4) };
    expect(bigramLoss(train, train, [1])).toBeCloseTo(-Math.log(3 / 4), 12);
    expect(unigramLoss(train, train, [1])).toBeCloseTo(Math.log(2), 12);
    const wide = { ...train, vocab: 5000 };
    expect(bigramLoss(wide, wide, [0.1])).toBeCloseTo(-Math.log(2.1 / 502), 12);
  });
});
