/** Generation by the recurrent form: one token in, one out, and nothing that grows with the text. */

import type { Tensor } from "@tensorflow/tfjs";
import type { RandomStream } from "../../random/stream.js";
import { type SampleOptions, sample } from "../../run/sample.js";
import type { Backend } from "../backend.js";
import type { Recorder, Recording } from "../recorder.js";
import type { Decoder, TensorMap } from "./trainable.js";

export interface GenerateOptions extends SampleOptions {
  /** How many tokens to make; default without end. */
  readonly count?: number;
}

/**
 * Reads the prompt's ids, at least one, then gives ids as they are chosen. Stopping early frees all tensors.
 */
export async function* generate(
  backend: Backend,
  decoder: Decoder,
  weights: TensorMap,
  prompt: ArrayLike<number>,
  options: GenerateOptions,
  random: RandomStream,
): AsyncGenerator<number> {
  const { count = Infinity } = options;
  const reader = new Reader(backend, decoder, weights);
  try {
    for (let i = 0; i < prompt.length - 1; i++) await reader.read(prompt[i]!, false);
    let last = prompt[prompt.length - 1]!;
    for (let made = 0; made < count; made++) {
      last = sample((await reader.read(last, true))!, options, random);
      yield last;
    }
  } finally {
    reader.free();
  }
}

/** One sequence on its way through the model: its states, and how many tokens they have seen. */
export class Reader {
  #carried: readonly Tensor[];
  #position = 0;
  #recorded: RecordedToken | null = null;

  constructor(
    private readonly backend: Backend,
    private readonly decoder: Decoder,
    private readonly weights: TensorMap,
  ) {
    const { tf } = backend;
    this.#carried = decoder.carried.map(({ shape, initial }) => tf.fill([...shape], initial));
  }

  /** Takes one token in; the logits of the next one where they are wanted. */
  async read(token: number, wanted: boolean): Promise<Float32Array | null> {
    const { tf, kernels, recorder } = this.backend;
    const position = this.#position++;
    if (recorder) {
      this.#recorded ??= await this.#record(recorder);
      const { input, recording } = this.#recorded;
      recorder.overwrite(input.tokens, Int32Array.of(token));
      recorder.overwrite(input.positions, Float32Array.of(position));
      recording.run();
      return wanted ? Float32Array.from(await recording.result.data()) : null;
    }
    const tokens = tf.tensor2d([token], [1, 1], "int32");
    const positions = tf.tensor2d([position], [1, 1], "float32");
    const before = this.#carried;
    const input = { tokens, positions };
    const { prediction, carried } = this.decoder.decode(kernels, this.weights, before, input);
    this.#carried = carried;
    const logits = wanted ? Float32Array.from(await prediction.data()) : null;
    for (const tensor of [tokens, positions, prediction, ...before]) tensor.dispose();
    return logits;
  }

  free(): void {
    for (const tensor of this.#carried) tensor.dispose();
    this.#carried = [];
    if (!this.#recorded) return;
    const { input, recording } = this.#recorded;
    recording.free();
    for (const tensor of [recording.result, input.tokens, input.positions]) tensor.dispose();
    this.#recorded = null;
  }

  /** A token's way through the model, which leaves the new states in the place of the old ones. */
  async #record(recorder: Recorder): Promise<RecordedToken> {
    const { tf, kernels } = this.backend;
    const input = {
      tokens: tf.tensor2d([0], [1, 1], "int32"),
      positions: tf.tensor2d([0], [1, 1], "float32"),
    };
    const recording = await recorder.record(() => {
      const before = this.#carried;
      const { prediction, carried } = this.decoder.decode(kernels, this.weights, before, input);
      recorder.assign(carried.map((state, i) => [before[i]!, state]));
      for (const state of carried) state.dispose();
      return prediction;
    });
    return { input, recording };
  }
}

interface RecordedToken {
  readonly input: { readonly tokens: Tensor; readonly positions: Tensor };
  readonly recording: Recording<Tensor>;
}
