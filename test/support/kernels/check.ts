/**
 * Holds a KernelSet to the reference: values, result types, arguments left alone, and no tensor left behind.
 * Works on every backend, so it reads with `await data()` only.
 */

import fc from "fast-check";
import type { Tensor } from "@tensorflow/tfjs";
import type { KernelSet } from "../../../runtime/tfjs/kernel-set.js";
import type { Tf } from "../../../runtime/tfjs/generic/context.js";
import { random, seeds } from "./arbitrary.js";
import type { Call, KernelCase } from "./case.js";
import { indexCases } from "./cases-index.js";
import { mapCases } from "./cases-map.js";
import { sequenceCases } from "./cases-sequence.js";
import { structureCases } from "./cases-structure.js";
import { type Named, shapeOf } from "./named.js";

export const kernelCases: readonly KernelCase[] = [
  ...mapCases,
  ...structureCases,
  ...indexCases,
  ...sequenceCases,
];

export async function checkKernel(
  tf: Tf,
  kernels: KernelSet,
  one: KernelCase,
  runs: number,
  seed = 1,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(seeds, async (start) => {
      const call = one.make(random(start));
      const fault = await faultOf(tf, kernels, call);
      if (fault) throw new Error(`${one.name}: ${fault}\n  in ${call.title}`);
    }),
    { numRuns: runs, seed, endOnFailure: true },
  );
}

async function faultOf(tf: Tf, kernels: KernelSet, call: Call): Promise<string | null> {
  const inputs = call.inputs.map((x) =>
    tf.tensor(
      x.dtype === "int32" ? Int32Array.from(x.data) : Float32Array.from(x.data),
      shapeOf(x),
      x.dtype,
    ),
  );
  const before = tf.memory().numTensors;
  const made = call.run(kernels, inputs);
  const results: readonly (Tensor | null)[] = Array.isArray(made)
    ? (made as (Tensor | null)[])
    : [made as Tensor];
  const kept = results.filter((result) => result !== null);
  const extra = tf.memory().numTensors - before - kept.length;
  if (extra !== 0) return `${extra} tensors more than the results`;
  if (kept.some((result) => inputs.includes(result))) return "a result is one of the arguments";
  if (results.length !== call.expected.length)
    return `${results.length} results instead of ${call.expected.length}`;
  let fault: string | null = null;
  for (const [i, expected] of call.expected.entries())
    fault ??= await difference(results[i]!, expected, call.tolerance ?? 1e-5);
  for (const [i, x] of call.inputs.entries())
    fault ??= await difference(inputs[i]!, x, 0).then(
      (d) => d && `argument ${i} has changed: ${d}`,
    );
  tf.dispose([...kept, ...inputs]);
  return fault;
}

async function difference(
  result: Tensor | null,
  expected: Named | null,
  tolerance: number,
): Promise<string | null> {
  if (!result || !expected)
    return result === expected ? null : `a result is ${result ? "there" : "missing"}`;
  const shape = shapeOf(expected);
  if (result.shape.join() !== shape.join())
    return `shape [${result.shape.join()}] instead of [${shape.join()}]`;
  if (result.dtype !== expected.dtype) return `${result.dtype} instead of ${expected.dtype}`;
  const data = await result.data();
  const scale = expected.data.reduce(
    (most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most),
    0.1,
  );
  for (let i = 0; i < data.length; i++) {
    const [is, wanted] = [data[i]!, expected.data[i]!];
    const close = Object.is(is, wanted) || Math.abs(is - wanted) <= tolerance * scale;
    if (!close && is !== wanted)
      return `element ${i} of [${shape.join()}] is ${is} instead of ${wanted}`;
  }
  return null;
}
