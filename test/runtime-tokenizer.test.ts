import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesTokenizer } from "../runtime/data/tokenizer-bytes.js";
import { tokenizerFrom } from "../runtime/data/tokenizer-from.js";
import { jsonTokenizer } from "../runtime/data/tokenizer-json.js";
import type { Tokenizer } from "../runtime/data/tokenizer.js";
import { RunError } from "../runtime/run/errors.js";

/** A byte-level BPE in GPT-2's alphabet: 256 single bytes, a few merges, one special token. */
function byteLevel(): Record<string, unknown> {
  const printable = [...Array(256).keys()].filter(
    (b) => (b > 32 && b < 127) || (b > 160 && b !== 173),
  );
  const symbols = new Map<number, string>(printable.map((b) => [b, String.fromCharCode(b)]));
  let next = 256;
  for (let b = 0; b < 256; b++) if (!symbols.has(b)) symbols.set(b, String.fromCharCode(next++));
  const vocab: Record<string, number> = {};
  for (let b = 0; b < 256; b++) vocab[symbols.get(b)!] = b;
  const merges = ["t h", "th e", "Ġ the", "à ¤"];
  merges.forEach((merge, i) => (vocab[merge.replace(" ", "")] = 256 + i));
  return {
    added_tokens: [
      {
        id: 260,
        content: "<end>",
        special: true,
        normalized: false,
        lstrip: false,
        rstrip: false,
        single_word: false,
      },
    ],
    normalizer: null,
    pre_tokenizer: {
      type: "ByteLevel",
      add_prefix_space: false,
      trim_offsets: true,
      use_regex: true,
    },
    post_processor: null,
    decoder: { type: "ByteLevel" },
    model: { type: "BPE", vocab, merges, unk_token: null, byte_fallback: false },
  };
}

const bpe = jsonTokenizer(JSON.stringify(byteLevel()), "tokenizer.json");

/** A WordPiece model without the means to spell every word. */
const words = {
  model: {
    type: "WordPiece",
    vocab: { "[UNK]": 0, whale: 1, "##s": 2 },
    unk_token: "[UNK]",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 100,
  },
  pre_tokenizer: { type: "Whitespace" },
  decoder: { type: "WordPiece", prefix: "##", cleanup: false },
};

function streamed(tokenizer: Tokenizer, ids: Int32Array, cuts: readonly number[]): string {
  const stream = tokenizer.stream();
  let text = "";
  for (let at = 0, i = 0; at < ids.length; i++) {
    const end = Math.min(ids.length, at + 1 + (cuts[i % Math.max(1, cuts.length)] ?? 0));
    text += stream.push(...ids.subarray(at, end));
    at = end;
  }
  return text + stream.end();
}

describe.each([
  ["bytes", bytesTokenizer, 256],
  ["tokenizer.json", bpe, 261],
] as const)("%s", (_, tokenizer, vocab) => {
  const text = fc.string({ unit: "grapheme" }).filter((s) => !/\p{Surrogate}/u.test(s));

  test("any text comes back, whole and streamed in any pieces", () => {
    expect(tokenizer.vocab).toBe(vocab);
    fc.assert(
      fc.property(text, fc.array(fc.nat(3), { maxLength: 3 }), (text, cuts) => {
        const ids = tokenizer.encode(text);
        expect(tokenizer.decode(ids)).toBe(text);
        expect(streamed(tokenizer, ids, cuts)).toBe(text);
      }),
    );
  });

  test("a character is held back until it is complete, and half of one becomes U+FFFD", () => {
    const ids = tokenizer.encode("é🐋");
    const stream = tokenizer.stream();
    expect([...ids].map((id) => stream.push(id))).toEqual(["", "é", "", "", "", "🐋"]);
    stream.push(ids[0]!);
    expect(stream.end()).toBe("\ufffd");
  });

  test("its description builds it again", () => {
    const again = tokenizerFrom(JSON.parse(JSON.stringify(tokenizer.describe())));
    expect(again.encode("the whale")).toEqual(tokenizer.encode("the whale"));
    expect(again.describe()).toEqual(tokenizer.describe());
  });

  test("ids out of range are a RunError", () => {
    for (const id of [-1, vocab, 0.5, NaN]) {
      expect(() => tokenizer.decode([id])).toThrow(RunError);
      expect(() => tokenizer.stream().push(id)).toThrow(RunError);
    }
    expect(tokenizer.decode([])).toBe("");
    expect(tokenizer.encode("")).toHaveLength(0);
  });
});

test("merges and special tokens are used, and none is added", () => {
  expect([...bpe.encode("the the<end>")]).toEqual([257, 258, 260]);
  expect(bpe.decode([257, 260, 258])).toBe("the<end> the");
});

test("the stream of a damaged character goes on after eight tokens", () => {
  const stream = bpe.stream();
  expect(stream.push(...Array(9).fill(0x80))).toBe("\ufffd".repeat(8));
  expect(stream.end()).toBe("\ufffd");
});

test("a WordPiece model spells what it can", () => {
  const tokenizer = jsonTokenizer(JSON.stringify(words), "words.json");
  expect([...tokenizer.encode("whales swim")]).toEqual([1, 2, 0]);
  expect(streamed(tokenizer, Int32Array.of(1, 2, 1), [])).toBe("whales whale");
});

describe("a hostile tokenizer.json", () => {
  const change = (changes: object) => JSON.stringify({ ...byteLevel(), ...changes });
  test.each([
    ["no JSON", "{"],
    ["null", "null"],
    ["a number", "3"],
    ["no model", "{}"],
    ["a vocabulary that is text", change({ model: { type: "BPE", vocab: "abc", merges: [] } })],
    [
      "an empty vocabulary",
      change({ model: { type: "BPE", vocab: {}, merges: [] }, added_tokens: [] }),
    ],
    ["a negative id", change({ model: { type: "BPE", vocab: { a: -1 }, merges: [] } })],
    [
      "an id that would need a huge array",
      change({ model: { type: "BPE", vocab: { a: 4294967294 }, merges: [] } }),
    ],
    ["an id that is text", change({ model: { type: "BPE", vocab: { a: "1" }, merges: [] } })],
    ["added tokens that are no list", change({ added_tokens: 3 })],
    ["an added token that is null", change({ added_tokens: [null] })],
    ["an unknown model", change({ model: { type: "Mystery", vocab: 3 } })],
    ["an unknown pre-tokenizer", change({ pre_tokenizer: { type: "Mystery" } })],
    [
      "a broken regular expression",
      change({ normalizer: { type: "Replace", pattern: { Regex: "(" }, content: "" } }),
    ],
    [
      "merges that are numbers",
      change({ model: { type: "BPE", vocab: { a: 1 }, merges: [1, 2] } }),
    ],
  ])("%s is a RunError that names the file", (_, json) => {
    const use = () => jsonTokenizer(json, "evil/tokenizer.json").encode("the whale é");
    expect(use).toThrow(RunError);
    expect(use).toThrow("evil/tokenizer.json");
  });

  test("no mutation of a good file raises anything else", () => {
    const good = JSON.stringify(byteLevel());
    const edit = fc.tuple(
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.constantFrom(...'{}[]",:0-x\\'),
    );
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        let json = good;
        for (const [at, mark] of edits) {
          const i = Math.floor(at * json.length);
          json = json.slice(0, i) + mark + json.slice(i + 1);
        }
        try {
          const tokenizer = jsonTokenizer(json, "x");
          tokenizer.decode(tokenizer.encode("the whale"));
        } catch (error) {
          expect(error).toBeInstanceOf(RunError);
        }
      }),
      { numRuns: 300 },
    );
  });
});
