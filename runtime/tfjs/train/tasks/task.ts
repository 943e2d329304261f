/** What a run does that depends on its kind of data: what is measured, what that is compared with, what is said. */

import type { Plain } from "../../../checkpoint/checkpoint.js";
import type { Baselines } from "../../../data/baselines.js";
import type { OpenedData } from "../../../data/open.node.js";
import type { Backend } from "../../backend.js";
import type { Measured } from "../measure.js";
import type { TensorMap, Trainable } from "../trainable.js";

/** A model with the weights it has now. */
export interface Trained {
  readonly backend: Backend;
  readonly trainable: Trainable;
  readonly weights: TensorMap;
}

export interface Task {
  readonly data: OpenedData;
  /** Lines about the data and its baselines, before training. */
  readonly about: readonly string[];
  /** What a checkpoint keeps so that its model can be used without the data. */
  readonly notes: Readonly<Record<string, Plain>>;
  /** What losses are counted in. */
  readonly unit: string;
  /** What counting achieves; null for what is no text. */
  readonly counted: Baselines | null;
  /** Losses to draw beside the run's, once it is known what the model's loss is. */
  baselines(measured: Measured | null): readonly { readonly name: string; readonly loss: number }[];
  /** A measurement on the way, on a part of what is held out, or at the end; null where nothing is. */
  measure(model: Trained, when: "on the way" | "at the end"): Promise<Measured | null>;
  /** A measurement in one line. */
  note(measured: Measured): string;
  /** Lines at the end. */
  ending(trainingLoss: number, measured: Measured | null): readonly string[];
  /** What else a finished run writes into its folder: the files' names, and lines to say. */
  finish(model: Trained, folder: string): Promise<Finished>;
}

export interface Finished {
  readonly files: readonly string[];
  readonly lines: readonly string[];
}
