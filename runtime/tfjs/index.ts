/** What emitted TypeScript imports as "lsm/runtime/tfjs". */

import type { Tensor } from "@tensorflow/tfjs";
import type { MainFiles } from "./train/run-main.node.js";
import type { RunOptions, RunResult } from "./train/run.node.js";
import type { TrainSettings } from "./train/settings.js";
import type { Trainable } from "./train/trainable.js";

export { type Backend, type BackendName, chooseBackend } from "./backend.js";
export { defineMap } from "./map.js";
export type { KernelSet, MapKernel, ScanBody, ScanOptions, ScanResult } from "./kernel-set.js";
export { nest, under } from "./nest.js";
export { apply, normal, parameter, parametersUnder, uniform } from "./parameters.js";
export { scan } from "./scan.js";
export type { RunOptions, RunResult } from "./train/run.node.js";
export type { OptimizerSettings, TrainSettings } from "./train/settings.js";
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
  WindowTensors,
} from "./train/trainable.js";
export type { Tensor } from "@tensorflow/tfjs";

/** Gives the tensors' memory back; each must not be used again. */
export function free(...tensors: readonly (Tensor | null)[]): void {
  for (const tensor of tensors) tensor?.dispose();
}

/** Trains when Node was started with the file at `url`; does nothing where that file is imported. */
export async function runAsMain(
  url: string,
  trainable: Trainable,
  settings: TrainSettings,
  files: MainFiles,
): Promise<void> {
  if (typeof process === "undefined") return; // in a browser
  await (await import("./train/run-main.node.js")).runAsMain(url, trainable, settings, files);
}

/** Trains in Node, into a run's folder; what it needs of Node is not loaded before. */
export async function runTraining(
  trainable: Trainable,
  settings: TrainSettings,
  options: RunOptions = {},
): Promise<RunResult> {
  return (await import("./train/run.node.js")).runTraining(trainable, settings, options);
}
