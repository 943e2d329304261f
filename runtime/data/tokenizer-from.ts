/** Builds a tokenizer from the description in a checkpoint. */

import { bytesTokenizer } from "./tokenizer-bytes.js";
import { jsonTokenizer } from "./tokenizer-json.js";
import type { Tokenizer, TokenizerDescription } from "./tokenizer.js";

/** @throws RunError `bad-tokenizer` */
export function tokenizerFrom(description: TokenizerDescription): Tokenizer {
  return description.kind === "bytes"
    ? bytesTokenizer
    : jsonTokenizer(description.json, description.name);
}
