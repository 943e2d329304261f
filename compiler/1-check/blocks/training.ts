/** What a `train` block comes to, with all defaults filled in: plain data for trainers of every target. */

import type { MuonOptions } from "../../ir/muon.js";
import type { Schedule } from "../../../runtime/run/schedule.js";
import type { DataSpec } from "../../../runtime/data/open.node.js";

/** A data block as its model reads it: of a series, in windows of the model's. */
export type TrainingData = { readonly name: string; readonly doc: string | null } & DataSpec;

export interface Training {
  readonly name: string;
  readonly doc: string | null;
  /** The name of a model of the program. */
  readonly model: string;
  readonly data: TrainingData;
  /** Tokens in a sequence: the data's `seq`, or the patches of a model's window. */
  readonly time: number;
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
  /** Sequences in one update, over all devices and all parts of an accumulation. */
  readonly batch: number;
  /** Updates in all. */
  readonly steps: number;
  /** The largest global norm of the gradients; null for no limit. */
  readonly clip: number | null;
  readonly precision: Precision;
  /** Parts in which an update's gradients are computed one after the other; it divides `batch`. */
  readonly accumulate: number;
  /** Updates between two checkpoints; null for one at the end. */
  readonly checkpointEvery: number | null;
  /** Updates between two measurements on held-out data; null for one at the end. */
  readonly evaluateEvery: number | null;
  /** Of all random streams. */
  readonly seed: number;
  /** What the model writes at the end; null for nothing asked. */
  readonly sample: SampleSettings | null;
}

export type Optimizer =
  ({ readonly kind: "adamw" } & AdamW) | ({ readonly kind: "muon" } & AdamW & MuonOptions);

export interface AdamW {
  /** The peak learning rate, which the schedule scales. */
  readonly lr: number;
  readonly betas: readonly [number, number];
  readonly decay: number;
  readonly epsilon: number;
}

export type Precision = "fp32" | "bf16" | "fp16";

export interface SampleSettings {
  readonly prompt: string;
  /** Tokens to write behind the prompt. */
  readonly length: number;
  /** Divides the logits; 0 takes the likeliest token. */
  readonly temperature: number;
}
