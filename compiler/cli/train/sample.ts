/** The text at the end of a run. */

import type { OpenedData, OpenedTokens } from "../../../runtime/data/open.node.js";
import type { Tokenizer } from "../../../runtime/data/tokenizer.js";
import type { Backend } from "../../../runtime/tfjs/backend.js";
import type { TensorMap } from "../../../runtime/tfjs/train/trainable.js";
import type { Training } from "../../1-check/blocks/training.js";
import type { Model } from "../../1-check/model.js";
import { say, type Output } from "../session.js";
import { Writer } from "../writer.js";

export interface Trained {
  readonly model: Model;
  readonly training: Training;
  readonly seed: number;
  readonly backend: Backend;
  readonly weights: TensorMap;
  readonly data: OpenedData;
}

/** Streams a text; nothing for data that is no text. */
export async function writeSample(
  { model, training, seed, backend, weights, data }: Trained,
  out: Output,
): Promise<void> {
  const { tokenizer } = data;
  if (data.kind !== "tokens" || tokenizer === null) return;
  const { prompt, length, temperature } = training.sample ?? {
    prompt: opening(data, tokenizer),
    length: 200,
    temperature: 0.8,
  };
  say(out);
  const writer = new Writer(model, tokenizer, backend, weights);
  for await (const text of writer.write({ prompt, tokens: length, temperature, seed }))
    out.write(text);
  say(out);
}

const promptTokens = 24;

/** The first words of the held-out text, up to the last whole one. */
function opening({ heldOut, train }: OpenedTokens, tokenizer: Tokenizer): string {
  const rows = heldOut ?? train;
  const empty = () => new Int32Array(rows.seq);
  const tokens = empty();
  rows.fill(0, {
    tokens,
    targets: empty(),
    weights: new Float32Array(rows.seq),
    documents: empty(),
  });
  const text = tokenizer.decode(tokens.subarray(0, promptTokens));
  const space = text.lastIndexOf(" ");
  return space > 0 ? text.slice(0, space + 1) : text;
}
