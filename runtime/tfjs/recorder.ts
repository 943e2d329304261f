/**
 * Kernel calls kept and run again as one: what a backend offers on which many small calls cost more than their
 * work. A recorded function is called once, with kernels that only note what they are asked for.
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { OptimizerSettings } from "./train/settings.js";
import type { TrainState } from "./train/state.js";
import type { GradientResult, ParameterSpec } from "./train/trainable.js";

export interface Recording<Result> {
  /**
   * What the function returned. Its tensors hold the results of the latest `run`, and belong to the recording:
   * dispose of them after `free` only.
   */
  readonly result: Result;
  /** Runs everything, on what the tensors that the function was given hold now. */
  run(): void;
  /** Gives the memory of intermediate values back; `run` must not be called again. */
  free(): void;
}

/** The end of a training step: clipping and AdamW, in place, on the state's own tensors. */
export interface UpdateHandle {
  /**
   * While recording. Once anything is not finite, that run and all later ones leave the state as it is.
   */
  record(state: TrainState, result: GradientResult, clip: number | null): void;
  /** [4]: loss, objective, global norm before clipping, and 1 where all gradients are finite; else 0. */
  readonly metrics: Tensor;
  /** Before each run: the learning rate, and the number of the update, from 1. */
  set(rate: number, step: number): void;
  /** Σ g² of every gradient in the latest run, by path. */
  squares(): Promise<ReadonlyMap<string, number>>;
  free(): void;
}

export interface Recorder {
  /** Told in one line what whoever waits for the first run should know. */
  tell?: (line: string) => void;
  /** Calls `work`, whose kernels run with the recording only. It frees what it makes, but not what it is given. */
  record<Result>(work: () => Result): Promise<Recording<Result>>;
  /** New contents for a tensor, which keeps its place. */
  overwrite(tensor: Tensor, values: Float32Array | Int32Array): void;
  /** While recording: gives each target the contents of its source. */
  assign(pairs: readonly (readonly [target: Tensor, source: Tensor])[]): void;
  prepareUpdate(parameters: readonly ParameterSpec[], optimizer: OptimizerSettings): UpdateHandle;
}
