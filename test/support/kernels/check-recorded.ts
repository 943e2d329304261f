/** A recorded step in parts against the same step kernel by kernel; and that one that is not finite changes nothing. */

import type { TokenBatch } from "../../../runtime/data/batches.js";
import type { Backend } from "../../../runtime/tfjs/backend.js";
import { batchGradients } from "../../../runtime/tfjs/train/gradients.js";
import { readBack } from "../../../runtime/tfjs/train/optimise.js";
import { freeState, freeTensors, freshState } from "../../../runtime/tfjs/train/state.js";
import { trainStep } from "../../../runtime/tfjs/train/step.js";
import { compileTraining } from "../../../compiler/compile.js";
import { trainableFromPrograms } from "../../../compiler/6-emit/tfjs/interpreted.js";
import { modelOf } from "../models/instance.js";
import { plainSource, tinySettings } from "../tiny-model.js";

const [rows, seq] = [2, 4];

function batchOf(weights: readonly number[]): TokenBatch {
  const ids = (from: number) => Int32Array.from({ length: rows * seq }, (_, i) => from + 7 * i);
  return {
    kind: "tokens",
    rows,
    seq,
    tokens: ids(3),
    targets: ids(10),
    weights: Float32Array.from(weights),
    documents: new Int32Array(rows * seq),
    position: 0,
  };
}

export async function checkRecorded(backend: Backend): Promise<void> {
  const { tf, kernels } = backend;
  const before = tf.memory().numTensors;
  const sizes = { batch: 1, time: seq };
  const stages = compileTraining(modelOf(plainSource), sizes);
  const names = { name: "Plain", vocabulary: 256 };
  const trainable = trainableFromPrograms({ ...stages, ...sizes, ...names });
  const state = freshState(tf, trainable.parameters, 1);
  const batch = batchOf([1, 1, 1, 1, 1, 0, 0, 1]); // the parts count 4 and 2 predictions
  const plain = batchGradients(backend, trainable, state.weights, batch);
  const read = await readBack(kernels, [plain.loss], plain.gradients, {});
  freeTensors({ loss: plain.loss, objective: plain.objective, ...plain.gradients });
  const norm = Math.sqrt([...read.squares.values()].reduce((sum, one) => sum + one, 0));
  const [loss] = read.scalars as [number];

  const { weights } = state;
  const valuesOf = async (): Promise<number[]> => Array.from(await weights["table"]!.data());
  const start = await valuesOf();
  const made = await trainStep(backend, trainable, tinySettings, state, batch, 0);
  const close = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-5 * Math.abs(b);
  if (!close(made.loss, loss) || !close(made.gradientNorm, norm))
    throw new Error(`loss ${made.loss}, norm ${made.gradientNorm}, not ${loss}, ${norm}`);
  const stepped = await valuesOf();
  if (stepped.every((value, i) => value === start[i])) throw new Error("a step changes no weight");

  const broken = batchOf([1, NaN, 1, 1, 1, 1, 1, 1]);
  const failure: unknown = await trainStep(
    backend,
    trainable,
    tinySettings,
    state,
    broken,
    1,
  ).catch((error: unknown) => error);
  if (!String(failure).includes("at step 2 the loss is NaN"))
    throw new Error(`a loss of NaN: ${String(failure)}`);
  const kept = await valuesOf();
  if (kept.some((value, i) => value !== stepped[i]))
    throw new Error("a step whose loss is NaN changes weights");
  freeState(state);
  const left = tf.memory().numTensors - before;
  if (left !== 0) throw new Error(`${left} tensors are left`);
}
