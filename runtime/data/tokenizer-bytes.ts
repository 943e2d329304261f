/** The byte tokenizer: ids are the bytes of UTF-8. Any text has ids, and nothing is learnt or downloaded. */

import { checkIds } from "./ids.js";
import type { TextStream, Tokenizer } from "./tokenizer.js";

const VOCAB = 256;

export const bytesTokenizer: Tokenizer = {
  vocab: VOCAB,

  encode: (text) => Int32Array.from(new TextEncoder().encode(text)),

  decode(ids) {
    checkIds(ids, VOCAB);
    return decoder().decode(Uint8Array.from(ids));
  },

  stream(): TextStream {
    const pending = decoder();
    return {
      push(...ids) {
        checkIds(ids, VOCAB);
        return pending.decode(Uint8Array.from(ids), { stream: true });
      },
      end: () => pending.decode(),
    };
  },

  describe: () => ({ kind: "bytes" }),
};

/** Keeps a byte order mark: it is part of the text. */
function decoder(): TextDecoder {
  return new TextDecoder("utf-8", { ignoreBOM: true });
}
