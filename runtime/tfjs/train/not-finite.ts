/**
 * Where a step went wrong: the first value that is not finite, in the order of the program.
 *
 * The gradients are computed once more by kernels that look at each of their results. What a value is for
 * is told by the last parameter that was used before it: a program uses them in the order of its layers.
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { Batch } from "../../data/batches.js";
import type { Backend } from "../backend.js";
import type { KernelSet, MapKernel } from "../kernel-set.js";
import { batchGradients } from "./gradients.js";
import { freeTensors } from "./state.js";
import type { TensorMap, Trainable } from "./trainable.js";

export interface NotFinite {
  /** The last parameter used, `blocks.1.mixer.q.weight`; null before the first. */
  readonly parameter: string | null;
  readonly kernel: string; // "dot", "map (exp, mul)"
  readonly shape: readonly number[];
}

interface Seen extends NotFinite {
  readonly difference: Tensor; // Σ x − x: 0, or NaN when a value is not finite
}

/** Null when every value is finite this time. */
export async function firstNotFinite(
  backend: Backend,
  trainable: Trainable,
  weights: TensorMap,
  batch: Batch,
): Promise<NotFinite | null> {
  const seen: Seen[] = [];
  const watching = { ...backend, kernels: watched(backend.kernels, weights, seen) };
  const { loss, objective, gradients, updates, metrics } = batchGradients(
    watching,
    trainable,
    weights,
    batch,
  );
  freeTensors({ loss, objective });
  freeTensors(gradients);
  freeTensors(updates);
  freeTensors(metrics ?? {});
  const values = await Promise.all(seen.map(({ difference }) => difference.data()));
  for (const { difference } of seen) difference.dispose();
  const at = values.findIndex(([value]) => value !== 0);
  if (at < 0) return null;
  const { parameter, kernel, shape } = seen[at]!;
  return { parameter, kernel, shape };
}

/** The kernels, noting each float result in `seen`. */
function watched(kernels: KernelSet, weights: TensorMap, seen: Seen[]): KernelSet {
  const paths = new Map(Object.entries(weights).map(([path, { id }]) => [id, path]));
  let parameter: string | null = null;
  const note = (result: Tensor, kernel: string): void => {
    if (result.dtype !== "float32") return;
    const difference = kernels.map(differences(result.rank), [result], {});
    seen.push({ parameter, kernel, shape: result.shape, difference });
  };
  return new Proxy(kernels, {
    get(target, name: keyof KernelSet) {
      const method = target[name] as (...given: unknown[]) => unknown;
      return (...given: unknown[]): unknown => {
        for (const tensor of given.flat())
          if (isTensor(tensor)) parameter = paths.get(tensor.id) ?? parameter;
        const result = method.apply(target, given);
        // a scan's own results are stacks of what its body has made, which was seen there
        if (isTensor(result)) note(result, named(name, given[0]));
        return result;
      };
    },
  });
}

const isTensor = (value: unknown): value is Tensor =>
  typeof value === "object" && value !== null && "dataId" in value;

function named(name: string, kernel: unknown): string {
  if (name !== "map") return name;
  const { code, reduce } = kernel as MapKernel;
  const functions = [...new Set([...code.map(({ fn }) => fn), ...(reduce ? [reduce] : [])])];
  return functions.join(", ");
}

const differencesByRank = new Map<number, MapKernel>();

/** Σ x − x over all axes. */
function differences(rank: number): MapKernel {
  let kernel = differencesByRank.get(rank);
  if (!kernel) {
    const x = { kind: "input", index: 0 } as const;
    kernel = {
      inputs: ["ABCDEFGHIJKLMNOP".slice(0, rank)],
      output: "",
      reduce: rank === 0 ? null : "sum",
      code: [{ fn: "sub", arguments: [x, x] }],
    };
    differencesByRank.set(rank, kernel);
  }
  return kernel;
}

/** `in blocks.1, behind mixer.q.weight, exp gives [8, 64, 4]`, for a sentence about numbers that are not finite. */
export function placeOf({ parameter, kernel, shape }: NotFinite): string {
  const block = /^(.*?\.\d+)\.(.*)$/.exec(parameter ?? "");
  const place =
    parameter === null
      ? "before the first parameter"
      : block
        ? `in \`${block[1]}\`, behind \`${block[2]}\``
        : `behind \`${parameter}\``;
  return `${place}, in the [${shape.join(", ")}] of \`${kernel}\``;
}
