/** How a model is trained: what a `train` block says, with all defaults filled in. Plain data. */

import type { MatrixAxes, MuonOptions } from "../../../compiler/ir/muon.js";
import type { DataSpec } from "../../data/open.node.js";
import type { Schedule } from "../../run/schedule.js";
import type { ParameterSpec } from "./trainable.js";

/** AdamW's, and beside it Muon's: `lr` and `decay` are for both. */
export interface OptimizerSettings {
  /** The peak learning rate, which the schedule scales. */
  readonly lr: number;
  readonly betas: readonly [number, number];
  readonly epsilon: number;
  /** Decoupled weight decay, for the parameters that ask for it. */
  readonly decay: number;
  /** Present: Muon trains the parameters that are matrices, AdamW the rest. */
  readonly muon?: MuonOptions;
}

/** How Muon trains a parameter; null where AdamW does. */
export interface MuonOf extends MuonOptions {
  readonly axes: ParameterSpec["axes"];
  readonly matrix: MatrixAxes;
  readonly decay: number;
}

export function muonFor(
  { muon, decay }: OptimizerSettings,
  { trainable, matrix, axes, decay: decays }: ParameterSpec,
): MuonOf | null {
  return muon && trainable && matrix ? { ...muon, axes, matrix, decay: decays ? decay : 0 } : null;
}

export interface TrainSettings {
  /** The `train` block's name. */
  readonly name: string;
  readonly data: DataSpec;
  readonly optimizer: OptimizerSettings;
  readonly schedule: Schedule;
  /** Parts of `Trainable.batch` sequences that an update's gradients are computed in; default 1. */
  readonly accumulate?: number;
  /** Updates in all. */
  readonly steps: number;
  /** The largest global norm of the gradients; null for no limit. */
  readonly clip: number | null;
  /** Updates between two checkpoints; null for one at the end. */
  readonly checkpointEvery: number | null;
  /** Updates between two measurements on held-out data; null for one at the end. */
  readonly evaluateEvery: number | null;
  /** Of all random streams: initial weights, data order, sampled text. */
  readonly seed: number;
}
