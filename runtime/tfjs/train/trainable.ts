/**
 * What an emitted trainer is to the runtime: a model's parameters and its scheduled functions.
 *
 * `TensorMap`s are owned by whom they are given to; functions keep their arguments and give fresh tensors.
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { Initializer } from "../../../compiler/ir/initializer.js";
import type { MatrixAxes } from "../../../compiler/ir/muon.js";
import type { KernelSet } from "../kernel-set.js";

export type TensorMap = Readonly<Record<string, Tensor>>;

export interface ParameterSpec {
  readonly path: string; // "blocks.0.mixer.q.weight", its name in checkpoints
  readonly axes: readonly { readonly name: string; readonly size: number }[];
  readonly initializer: Initializer;
  readonly trainable: boolean; // false: a buffer that the step itself updates
  readonly decay: boolean; // whether weight decay applies
  readonly matrix: MatrixAxes | null; // its axes as those of matrices, if Muon can train it
}

/** Of a model that reads tokens. [batch, time] each; tokens and targets int32, weights and positions float32. */
export interface BatchTensors {
  readonly tokens: Tensor;
  readonly targets: Tensor;
  readonly weights: Tensor; // of each token's loss
  readonly positions: Tensor; // of each token in its document, 0 where a document starts
}

/** Of a model that reads windows of a series, all float32. */
export interface WindowTensors {
  readonly series: Tensor; // [batch, lookback], or [batch, lookback, channels]
  readonly future: Tensor; // [batch, horizon], or [batch, horizon, channels]
  readonly weights: Tensor; // [batch]: of each window's loss
  readonly positions: Tensor; // [batch, time]: of each token in its window
}

export interface GradientResult {
  readonly loss: Tensor; // scalar: the weighted mean loss of the tokens, or of the windows
  readonly objective: Tensor; // scalar: the loss with the routers' penalties
  readonly gradients: TensorMap; // by path, for every trainable parameter
  readonly updates: TensorMap; // new values of untrained buffers, by path
  readonly metrics?: TensorMap; // what the model measures of itself: the `load` [experts] of every route, by path
}

export interface EvaluationResult {
  readonly loss: Tensor;
  readonly prediction: Tensor; // [batch, time, vocab] logits; or a forecast, in the shape of `future`
}

/** A tensor carried from token to token when generating: a state, a conv's past, attention's keys. */
export interface CarriedSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly initial: number;
}

export interface DecodeResult {
  readonly prediction: Tensor; // [batch, 1, vocab] logits
  readonly carried: readonly Tensor[]; // in the order of `carried`
}

export interface Trainable {
  readonly model: string;
  readonly vocabulary: number; // 0 for a model that reads no tokens
  readonly batch: number; // sequences a step
  readonly time: number; // tokens a sequence
  readonly parameters: readonly ParameterSpec[];
  // a model takes one of the two kinds of batch: that of its data
  gradients(
    kernels: KernelSet,
    weights: TensorMap,
    batch: BatchTensors | WindowTensors,
  ): GradientResult;
  evaluate(
    kernels: KernelSet,
    weights: TensorMap,
    batch: BatchTensors | WindowTensors,
  ): EvaluationResult;
}

/** The recurrent form: one token of one sequence at a time, with constant memory. */
export interface Decoder {
  readonly carried: readonly CarriedSpec[];
  /** tokens int32 [1, 1], positions float32 [1, 1] (0 starts a document and resets every state). */
  decode(
    kernels: KernelSet,
    weights: TensorMap,
    carried: readonly Tensor[],
    input: { readonly tokens: Tensor; readonly positions: Tensor },
  ): DecodeResult;
}
