/** The optimiser's part of a step: the gradients' global norm, clipping, and AdamW or Muon for every parameter. */

import type { Tensor } from "@tensorflow/tfjs";
import { type Metrics, metricsIn } from "./metrics.js";
import type { KernelSet, MapKernel } from "../kernel-set.js";
import { type OptimizerSettings, muonFor } from "./settings.js";
import type { TrainState } from "./state.js";
import type { ParameterSpec, TensorMap } from "./trainable.js";

/** Σ g² over all axes; one kernel for each rank. */
const squaresByRank = new Map<number, MapKernel>();

function squares(rank: number): MapKernel {
  let kernel = squaresByRank.get(rank);
  if (!kernel) {
    kernel = {
      inputs: ["ABCDEFGHIJKLMNOP".slice(0, rank)],
      output: "",
      reduce: rank === 0 ? null : "sum",
      code: [{ fn: "square", arguments: [{ kind: "input", index: 0 }] }],
    };
    squaresByRank.set(rank, kernel);
  }
  return kernel;
}

export interface ReadBack {
  /** The scalars' values. */
  readonly scalars: readonly number[];
  /** Σ g² of every gradient, by path. */
  readonly squares: ReadonlyMap<string, number>;
  readonly metrics: Metrics;
}

/** Reads scalars, metrics and every gradient's sum of squares in one transfer: on a GPU each one waits for all work. */
export async function readBack(
  kernels: KernelSet,
  scalars: readonly Tensor[],
  gradients: TensorMap,
  metrics: TensorMap,
): Promise<ReadBack> {
  const paths = Object.keys(gradients);
  const sums = paths.map((path) => {
    const gradient = gradients[path]!;
    return kernels.map(squares(gradient.rank), [gradient], {});
  });
  const elements = [...scalars, ...sums].map((tensor) => kernels.reshape(tensor, [1]));
  const measured = Object.values(metrics).map((tensor) => kernels.reshape(tensor, [tensor.size]));
  const joined = kernels.concat([...elements, ...measured], 0);
  const values = Array.from(await joined.data());
  for (const tensor of [...sums, ...elements, ...measured, joined]) tensor.dispose();
  return {
    scalars: values.slice(0, scalars.length),
    squares: new Map(paths.map((path, i) => [path, values[scalars.length + i]!])),
    metrics: metricsIn(values.slice(elements.length), metrics),
  };
}

export interface Update {
  /** This update's learning rate. */
  readonly rate: number;
  /** Its number, from 1: AdamW corrects its moments' bias by it. */
  readonly step: number;
  /** What the gradients are multiplied by, to clip them. */
  readonly scale: number;
}

/** Replaces weights and moments by new ones, and buffers by their updates; takes gradients and updates. */
export function applyUpdate(
  kernels: KernelSet,
  state: TrainState,
  parameters: readonly ParameterSpec[],
  optimizer: OptimizerSettings,
  { rate, step, scale }: Update,
  gradients: TensorMap,
  updates: TensorMap,
): void {
  const [beta1, beta2] = optimizer.betas;
  for (const parameter of parameters) {
    const { path } = parameter;
    if (!parameter.trainable) {
      const update = updates[path];
      if (update) replace(state.weights, path, update);
      continue;
    }
    const { weights, m, v, momentum } = state;
    const [weight, gradient] = [weights[path]!, gradients[path]!];
    const byMuon = muonFor(optimizer, parameter);
    if (byMuon) {
      const options = { ...byMuon, rate, scale };
      const made = kernels.muon(options, weight, gradient, momentum[path]!);
      [weights, momentum].forEach((map, i) => replace(map, path, made[i]!));
    } else {
      const decay = parameter.decay ? optimizer.decay : 0;
      const options = { beta1, beta2, epsilon: optimizer.epsilon, decay, rate, step, scale };
      const made = kernels.adamw(options, weight, gradient, m[path]!, v[path]!);
      [weights, m, v].forEach((map, i) => replace(map, path, made[i]!));
    }
    gradient.dispose();
  }
}

function replace(map: Record<string, Tensor>, path: string, tensor: Tensor): void {
  map[path]!.dispose();
  map[path] = tensor;
}
