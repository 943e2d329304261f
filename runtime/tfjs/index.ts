/** What emitted TypeScript imports as "lsm/runtime/tfjs". */

import type { Tensor } from "@tensorflow/tfjs";
import type { RunOptions, RunResult } from "./train/run.node.js";
import type { TrainSettings } from "./train/settings.js";
import type { Trainable } from "./train/trainable.js";

export { type Backend, type BackendName, chooseBackend } from "./backend.js";
export { defineMap } from "./map.js";
export type { KernelSet, MapKernel, ScanBody, ScanOptions, ScanResult } from "./kernel-set.js";
export type { RunOptions, RunResult } from "./train/run.node.js";
export type { AdamWSettings, TrainSettings } from "./train/settings.js";
export type {
  BatchTensors,
  CarriedSpec,
  DecodeResult,
  Decoder,
  EvaluationResult,
  GradientResult,
  ParameterSpec,
  TensorMap,
  Trainable,
} from "./train/trainable.js";
export type { Tensor } from "@tensorflow/tfjs";

/** Gives the tensors' memory back; each must not be used again. */
export function free(...tensors: readonly (Tensor | null)[]): void {
  for (const tensor of tensors) tensor?.dispose();
}

/** Trains in Node, into a run's folder; what it needs of Node is not loaded before. */
export async function runTraining(
  trainable: Trainable,
  settings: TrainSettings,
  options: RunOptions = {},
): Promise<RunResult> {
  return (await import("./train/run.node.js")).runTraining(trainable, settings, options);
}
