/**
 * A training step as a recording: gradients of all parts, clipping and AdamW run as one, on tensors that keep
 * their places. Only a few numbers come back.
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { Batch } from "../../data/batches.js";
import type { Backend } from "../backend.js";
import type { KernelSet } from "../kernel-set.js";
import type { Recorder, Recording, UpdateHandle } from "../recorder.js";
import { batchTensors, freeBatch, overwriteBatch } from "./batch-tensors.js";
import { combine, partsOf, predictions, sharesOf } from "./gradients.js";
import { type Metrics, metricsIn } from "./metrics.js";
import type { OptimizerSettings } from "./settings.js";
import type { TrainState } from "./state.js";
import type {
  BatchTensors,
  GradientResult,
  TensorMap,
  Trainable,
  WindowTensors,
} from "./trainable.js";

/** What came of a step, once it has run. */
export interface Outcome {
  readonly loss: number;
  readonly objective: number;
  readonly gradientNorm: number;
  /** Whether all gradients were finite; if not, the state is as it was. */
  readonly finite: boolean;
  readonly metrics: Metrics;
}

/** What is left of a step's results once its weights are replaced. */
interface Recorded extends Pick<GradientResult, "loss" | "objective"> {
  /** All that the model measures of itself, in one row, since every reading is a transfer; null where that is nothing. */
  readonly measured: Tensor | null;
  /** What the row is made of: their sizes, for they are gone. */
  readonly metrics: TensorMap;
}

export class RecordedStep {
  private constructor(
    private readonly recorder: Recorder,
    private readonly rows: number,
    private readonly inputs: readonly (BatchTensors | WindowTensors)[],
    private readonly shares: readonly Tensor[],
    private readonly handle: UpdateHandle,
    private readonly recording: Recording<Recorded>,
  ) {}

  /** Records a step for batches as large as this one, on the state's own tensors. */
  static async of(
    { tf, kernels }: Backend,
    recorder: Recorder,
    trainable: Trainable,
    optimizer: OptimizerSettings,
    clip: number | null,
    state: TrainState,
    batch: Batch,
  ): Promise<RecordedStep> {
    const parts = partsOf(batch, trainable.batch);
    const inputs = parts.map((part) => batchTensors(tf, part));
    const shares = parts.length > 1 ? parts.map(() => tf.scalar(1)) : [];
    const handle = recorder.prepareUpdate(trainable.parameters, optimizer);
    const recording = await recorder.record(() => {
      const results = inputs.map((one) => trainable.gradients(kernels, state.weights, one));
      const result = results.length === 1 ? results[0]! : combine(kernels, results, shares);
      handle.record(state, result, clip);
      const { loss, objective, gradients, updates, metrics = {} } = result;
      const measured = inOneRow(kernels, Object.values(metrics));
      for (const map of [gradients, updates, metrics])
        for (const tensor of Object.values(map)) tensor.dispose();
      return { loss, objective, measured, metrics };
    });
    return new RecordedStep(recorder, trainable.batch, inputs, shares, handle, recording);
  }

  /** Makes update number `step`, from 1. The batch is taken before this returns; the outcome comes later. */
  run(batch: Batch, rate: number, step: number): Promise<Outcome> {
    const parts = partsOf(batch, this.rows);
    parts.forEach((part, i) => {
      overwriteBatch(this.recorder, this.inputs[i]!, part);
    });
    sharesOf(parts.map(predictions)).forEach((share, i) => {
      if (this.shares[i]) this.recorder.overwrite(this.shares[i], Float32Array.of(share));
    });
    this.handle.set(rate, step);
    this.recording.run();
    return this.outcome();
  }

  /** Σ g² of every gradient of the latest step, by path. */
  squares(): Promise<ReadonlyMap<string, number>> {
    return this.handle.squares();
  }

  free(): void {
    this.recording.free();
    this.recording.result.loss.dispose();
    this.recording.result.objective.dispose();
    this.recording.result.measured?.dispose();
    this.handle.free();
    for (const tensors of this.inputs) freeBatch(tensors);
    for (const share of this.shares) share.dispose();
  }

  private async outcome(): Promise<Outcome> {
    const { measured, metrics } = this.recording.result;
    const [figures, values] = await Promise.all([this.handle.metrics.data(), measured?.data()]);
    const [loss, objective, gradientNorm, finite] = figures;
    return {
      loss: loss!,
      objective: objective!,
      gradientNorm: gradientNorm!,
      finite: finite === 1,
      metrics: metricsIn(values ?? [], metrics),
    };
  }
}

function inOneRow(kernels: KernelSet, tensors: readonly Tensor[]): Tensor | null {
  if (tensors.length === 0) return null;
  const rows = tensors.map((tensor) => kernels.reshape(tensor, [tensor.size]));
  const joined = kernels.concat(rows, 0);
  for (const row of rows) row.dispose();
  return joined;
}
