/**
 * TensorFlow by graphs: op by op a call costs 50–60 µs, so the ops of a model's gradients are recorded once, and the
 * graph that they make is run in one call. Programs are static, so the same ops come at every step.
 *
 * The first call of a trainable runs op by op, which also brings its weights to TensorFlow; the second is recorded.
 * Where that fails, all goes on op by op.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Tensor } from "@tensorflow/tfjs";
import type { RunGradients, TrainableInputs } from "../../backend.js";
import type { Tf } from "../../generic/context.js";
import type { KernelSet } from "../../kernel-set.js";
import type { GradientResult, TensorMap, Trainable } from "../../train/trainable.js";
import type { NativeBackend } from "./binding.js";
import { record } from "./record.js";
import { savedModel, tag } from "./saved-model.js";

type Gradients = (...given: TrainableInputs) => GradientResult;

export function gradientsByGraph(tf: Tf, kernels: KernelSet): RunGradients {
  const known = new WeakMap<Trainable, Gradients>();
  return (trainable, weights, batch) => {
    const eager: Gradients = (...given) => trainable.gradients(kernels, ...given);
    const gradients = known.get(trainable);
    if (gradients) return gradients(weights, batch);
    known.set(trainable, (...given) => {
      const { result, replay } = recordGradients(tf, eager, ...given);
      known.set(trainable, replay ?? eager);
      return result;
    });
    return eager(weights, batch);
  };
}

/** Op by op, and how to do it again in one call; null where it cannot be. */
export function recordGradients(
  tf: Tf,
  eager: Gradients,
  ...[weights, batch]: TrainableInputs
): { readonly result: GradientResult; readonly replay: Gradients | null } {
  const backend = tf.backend() as unknown as NativeBackend;
  const given = [...Object.values(weights), ...Object.values<Tensor>({ ...batch })];
  const ids = backend.getInputTensorIds(given);
  const { result, recorded } = record(backend, () => eager(weights, batch));
  if (!recorded) return { result, replay: null };
  try {
    const paths = Object.keys(weights);
    const fields = Object.keys(batch);
    const [trained, updated] = [Object.keys(result.gradients), Object.keys(result.updates)];
    const outputs = [
      result.loss,
      result.objective,
      ...trained.map((path) => result.gradients[path]!),
      ...updated.map((path) => result.updates[path]!),
    ];
    const { binding } = backend;
    const dtypes: Readonly<Record<string, number>> = {
      float32: binding.TF_FLOAT,
      int32: binding.TF_INT32,
    };
    const model = savedModel(
      binding,
      given.map(({ shape, dtype }, i) => ({ id: ids[i]!, shape, dtype: dtypes[dtype]! })),
      recorded,
      backend.getInputTensorIds(outputs),
    );
    const loaded = load(backend, model.content);
    const replay: Gradients = (nextWeights, nextBatch) => {
      const fed = [
        ...paths.map((path) => nextWeights[path]!),
        ...fields.map((field) => (({ ...nextBatch }) as Record<string, Tensor>)[field]!),
      ];
      const made = binding.runSavedModel(
        loaded,
        backend.getInputTensorIds(fed),
        model.inputNames,
        model.outputNames,
      );
      const [loss, objective, ...rest] = made.map((one) => backend.createOutputTensor(one));
      const named = (names: readonly string[], from: number): TensorMap =>
        Object.fromEntries(names.map((path, i) => [path, rest[from + i]!]));
      return {
        loss: loss!,
        objective: objective!,
        gradients: named(trained, 0),
        updates: named(updated, trained.length),
      };
    };
    return { result, replay };
  } catch {
    return { result, replay: null };
  }
}

function load({ binding }: NativeBackend, content: Buffer): number {
  const folder = mkdtempSync(join(tmpdir(), "lsm-graph-"));
  try {
    mkdirSync(join(folder, "variables"));
    writeFileSync(join(folder, "saved_model.pb"), content);
    return binding.loadSavedModel(folder, tag);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
