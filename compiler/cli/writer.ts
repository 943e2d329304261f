/** Text from a model and its weights, by the recurrent form. */

import { RandomStream } from "../../runtime/random/stream.js";
import type { Tokenizer } from "../../runtime/data/tokenizer.js";
import type { Backend } from "../../runtime/tfjs/backend.js";
import { generate } from "../../runtime/tfjs/train/generate.js";
import type { TensorMap } from "../../runtime/tfjs/train/trainable.js";
import type { Model } from "../1-check/model.js";
import { decoderFromProgram } from "../6-emit/tfjs/interpreted.js";
import { compileDecoding } from "../compile.js";
import { UsageError } from "./exit.js";

export interface WriteRequest {
  readonly prompt: string;
  /** How many tokens to write behind it. */
  readonly tokens: number;
  readonly temperature: number;
  readonly topK?: number;
  readonly seed: number;
}

export class Writer {
  constructor(
    private readonly model: Model,
    private readonly tokenizer: Tokenizer,
    private readonly backend: Backend,
    private readonly weights: TensorMap,
  ) {}

  /** The prompt, then what follows it, as soon as each character is complete. */
  async *write({ prompt, tokens, seed, ...sampling }: WriteRequest): AsyncGenerator<string> {
    const ids = this.tokenizer.encode(prompt);
    if (ids.length === 0)
      throw new UsageError(
        "the prompt is empty",
        'give it something to go on from: --prompt "The "',
      );
    const { program, carried } = compileDecoding(this.model, ids.length + tokens);
    const decoder = decoderFromProgram(program, carried);
    const random = new RandomStream(seed, "sample");
    const stream = this.tokenizer.stream();
    yield prompt;
    const options = { ...sampling, count: tokens };
    for await (const id of generate(this.backend, decoder, this.weights, ids, options, random))
      yield stream.push(id);
    yield stream.end();
  }
}
