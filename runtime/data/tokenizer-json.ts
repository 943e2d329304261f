/**
 * Tokenizers from a Hugging Face `tokenizer.json`, through @huggingface/tokenizers.
 * The file may come from anywhere, so its size, shape and ids are checked before and after that package reads it.
 */

import { Tokenizer as HuggingFace } from "@huggingface/tokenizers";
import { RunError } from "../run/errors.js";
import { checkIds } from "./ids.js";
import type { TextStream, Tokenizer } from "./tokenizer.js";

const SIZE_LIMIT = 64 * 1024 * 1024; // characters; the largest in common use have 35 MB
const VOCAB_LIMIT = 4_000_000;
const REPLACEMENT = "\ufffd";

interface TokenizerJson {
  readonly model: {
    readonly type?: string;
    readonly vocab: object;
    readonly unk_token?: string | null;
  };
  readonly added_tokens: readonly { readonly id: number; readonly content: string }[];
}

/** What we use of the package's tokenizer; an id is missing where the vocabulary lacks a piece. */
interface Inner {
  encode(
    text: string,
    options: { add_special_tokens: boolean },
  ): { readonly ids: readonly (number | undefined)[] };
  decode(ids: number[], options: typeof DECODE): string;
}

const DECODE = { skip_special_tokens: false, clean_up_tokenization_spaces: false };

/**
 * @param json the text of the file
 * @param name its path, for messages
 * @throws RunError `bad-tokenizer`
 */
export function jsonTokenizer(json: string, name: string): Tokenizer {
  const parsed = parse(json, name);
  const vocab = vocabSize(parsed, name);
  const inner: Inner = guarded(name, "it cannot be used", () => new HuggingFace(parsed, {}));
  const decode = (ids: readonly number[]) =>
    ids.length === 0 ? "" : guarded(name, "decoding failed", () => inner.decode([...ids], DECODE));

  return {
    vocab,
    encode(text) {
      if (text === "") return new Int32Array(0);
      const { ids } = guarded(name, "encoding failed", () =>
        inner.encode(text, { add_special_tokens: false }),
      );
      const known = ids.filter((id) => id !== undefined);
      if (known.length < ids.length)
        throw bad(name, "it has no token for a piece of the text, nor an unknown token");
      checkIds(known, vocab);
      return Int32Array.from(known);
    },
    decode(ids) {
      checkIds(ids, vocab);
      return decode(Array.from(ids));
    },
    stream: () => textStream(vocab, decode),
    describe: () => ({ kind: "tokenizer.json", name, json }),
  };
}

/**
 * A token's text depends on its neighbours, so a growing window is decoded and what was already given is taken off;
 * text that ends in U+FFFD waits for the rest of its character, though never for more than eight tokens.
 */
function textStream(vocab: number, decode: (ids: readonly number[]) => string): TextStream {
  let before: number[] = []; // given already; kept for the sake of what follows
  let pending: number[] = [];
  const flush = (): string => {
    const given = decode(before);
    const text = decode([...before, ...pending]).slice(given.length);
    before = pending;
    pending = [];
    return text;
  };
  return {
    push(...ids) {
      checkIds(ids, vocab);
      let text = "";
      for (const id of ids) {
        pending.push(id);
        if (pending.length >= 8 || !decode([...before, ...pending]).endsWith(REPLACEMENT))
          text += flush();
      }
      return text;
    },
    end: () => (pending.length > 0 ? flush() : ""),
  };
}

function parse(json: string, name: string): TokenizerJson {
  if (json.length > SIZE_LIMIT)
    throw bad(name, `it has ${json.length} characters, and at most ${SIZE_LIMIT} are read`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    throw bad(name, "it is not valid JSON");
  }
  const { model, added_tokens: added = [] } = (parsed ?? {}) as Partial<TokenizerJson>;
  if (typeof model?.vocab !== "object" || model.vocab === null)
    throw bad(name, "it has no `model.vocab`");
  if (!Array.isArray(added)) throw bad(name, "its `added_tokens` are not a list");
  const fields = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
  return { ...fields, ...(parsed as TokenizerJson), added_tokens: added };
}

/** One more than the highest id; ids must be whole numbers below the limit, as they become places in an array. */
function vocabSize({ model, added_tokens: added }: TokenizerJson, name: string): number {
  const list = Array.isArray(model.vocab); // Unigram: ids are places in the list
  const ids: unknown[] = list
    ? [(model.vocab as unknown[]).length - 1]
    : Object.values(model.vocab);
  let highest = -1;
  for (const id of [...ids, ...added.map((token) => (token as Partial<typeof token> | null)?.id)]) {
    if (!Number.isInteger(id) || (id as number) < 0 || (id as number) >= VOCAB_LIMIT) {
      throw bad(
        name,
        `the id ${JSON.stringify(id) ?? "none"} is not a whole number from 0 to ${VOCAB_LIMIT - 1}`,
      );
    }
    highest = Math.max(highest, id as number);
  }
  if (highest < 0) throw bad(name, "its vocabulary is empty");
  return highest + 1;
}

/** Runs the package's code, whose errors are about its own insides. */
function guarded<T>(name: string, what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof RunError) throw error;
    throw bad(
      name,
      `${what}: ${error instanceof Error ? error.message.slice(0, 200) : String(error)}`,
    );
  }
}

function bad(name: string, what: string): RunError {
  return new RunError({
    code: "bad-tokenizer",
    what,
    where: name,
    help: "give the `tokenizer.json` of a Hugging Face model (BPE, WordPiece or Unigram), or use `tokenizer bytes`",
  });
}
