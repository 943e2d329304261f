/** What turns text into ids and back. A description travels in the checkpoint, so a model can always speak. */

/** Enough to build the tokenizer again on any machine, by `tokenizerFrom`. */
export type TokenizerDescription =
  | { readonly kind: "bytes" }
  /** `json` is the text of the `tokenizer.json`; `name` is the file it came from, for people. */
  | { readonly kind: "tokenizer.json"; readonly name: string; readonly json: string };

export interface Tokenizer {
  /** Ids are 0 to vocab - 1. */
  readonly vocab: number;
  /** The ids of a text, without special tokens around them. */
  encode(text: string): Int32Array;
  /** The text of ids; what is no whole UTF-8 sequence becomes U+FFFD. @throws RunError on ids out of range */
  decode(ids: ArrayLike<number>): string;
  /** Decoding as ids arrive. */
  stream(): TextStream;
  describe(): TokenizerDescription;
}

/** Holds text back until its characters are complete. */
export interface TextStream {
  /** The text that `ids` completed, perhaps none. */
  push(...ids: number[]): string;
  /** What was held back; incomplete characters become U+FFFD. */
  end(): string;
}
