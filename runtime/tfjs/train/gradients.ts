/** A batch's gradients, all at once or in parts that are weighted by the predictions they count. */

import type { Tensor } from "@tensorflow/tfjs";
import type { Batch } from "../../data/batches.js";
import type { Backend } from "../backend.js";
import type { KernelSet, MapKernel } from "../kernel-set.js";
import { batchTensors, freeBatch } from "./batch-tensors.js";
import type { GradientResult, TensorMap, Trainable } from "./trainable.js";

/** The batch holds `trainable.batch` rows, or a multiple of it. The caller frees the result. */
export function batchGradients(
  { tf, kernels }: Backend,
  trainable: Trainable,
  weights: TensorMap,
  batch: Batch,
): GradientResult {
  const results = partsOf(batch, trainable.batch).map((part): Weighted => {
    const inputs = batchTensors(tf, part);
    const result = trainable.gradients(kernels, weights, inputs);
    freeBatch(inputs);
    return { result, counted: predictions(part) };
  });
  if (results.length === 1) return results[0]!.result;
  const shares = sharesOf(results.map(({ counted }) => counted)).map((share) => tf.scalar(share));
  const combined = combine(
    kernels,
    results.map(({ result }) => result),
    shares,
  );
  for (const share of shares) share.dispose();
  return combined;
}

interface Weighted {
  readonly result: GradientResult;
  readonly counted: number;
}

export function partsOf(batch: Batch, rows: number): Batch[] {
  return Array.from({ length: batch.rows / rows }, (_, i): Batch => {
    /** The part's share of an array that has as much of every row. */
    const part = <A extends Int32Array | Float32Array>(array: A): A => {
      const size = (array.length / batch.rows) * rows;
      return array.subarray(i * size, (i + 1) * size) as A;
    };
    const weights = batch.weights && part(batch.weights);
    if (batch.kind === "windows")
      return { ...batch, rows, weights, series: part(batch.series), future: part(batch.future) };
    const [tokens, targets, documents] = [batch.tokens, batch.targets, batch.documents].map(part);
    return { ...batch, rows, weights, tokens: tokens!, targets: targets!, documents: documents! };
  });
}

/** What the loss of a batch is the mean of. */
export const predictions = (batch: Batch): number =>
  batch.weights?.reduce((sum, weight) => sum + weight, 0) ??
  (batch.kind === "windows" ? batch.rows : batch.tokens.length);

/** Each part's share of the predictions that all parts count. */
export function sharesOf(counts: readonly number[]): number[] {
  const total = counts.reduce((sum, counted) => sum + counted, 0);
  return counts.map((counted) => (total > 0 ? counted / total : 1 / counts.length));
}

/**
 * Every part's loss is the mean of its own predictions: their mean by share (a scalar each) is the whole
 * batch's. Frees the parts' tensors.
 */
export function combine(
  kernels: KernelSet,
  parts: readonly GradientResult[],
  shares: readonly Tensor[],
): GradientResult {
  const mean = (tensors: readonly Tensor[]): Tensor => {
    const kernel = scaledSum(tensors.length, tensors[0]!.rank);
    const result = kernels.map(kernel, [...tensors, ...shares], {});
    for (const tensor of tensors) tensor.dispose();
    return result;
  };
  const means = (maps: readonly TensorMap[]): TensorMap =>
    Object.fromEntries(
      Object.keys(maps[0]!).map((path) => [path, mean(maps.map((map) => map[path]!))]),
    );
  return {
    loss: mean(parts.map(({ loss }) => loss)),
    objective: mean(parts.map(({ objective }) => objective)),
    gradients: means(parts.map(({ gradients }) => gradients)),
    updates: means(parts.map(({ updates }) => updates)),
    metrics: means(parts.map(({ metrics = {} }) => metrics)),
  };
}

const kernelsByForm = new Map<string, MapKernel>();

/** Σᵢ xᵢ · cᵢ for tensors x of one shape and scalars c. */
function scaledSum(count: number, rank: number): MapKernel {
  const key = `${count} ${rank}`;
  let kernel = kernelsByForm.get(key);
  if (!kernel) {
    kernel = makeScaledSum(count, "ABCDEFGHIJKLMNOP".slice(0, rank));
    kernelsByForm.set(key, kernel);
  }
  return kernel;
}

function makeScaledSum(count: number, letters: string): MapKernel {
  const code: MapKernel["code"][number][] = [];
  for (let i = 0; i < count; i++) {
    const product = { kind: "value", index: code.length } as const;
    const factors = [i, count + i].map((index) => ({ kind: "input", index }) as const);
    code.push({ fn: "mul", arguments: factors });
    const sum = { kind: "value", index: product.index - 1 } as const;
    if (i > 0) code.push({ fn: "add", arguments: [sum, product] });
  }
  const inputs = [...Array<string>(count).fill(letters), ...Array<string>(count).fill("")];
  return { inputs, output: letters, reduce: null, code };
}
