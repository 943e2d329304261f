/**
 * The generic kernels against the float64 reference: on cpu and wasm, which are always there, and on node-gpu, with those
 * that TensorFlow has of its own, where `lsm setup native` has run. WebGPU needs a process of its own: see webgpu.test.ts.
 */

import { beforeAll, describe, expect, it } from "vitest";
import { type Backend, chooseBackend } from "../../runtime/tfjs/backend.js";
import { createGenericKernels } from "../../runtime/tfjs/generic/index.js";
import { findNative } from "../../runtime/tfjs/native/load.node.js";
import type { KernelSet } from "../../runtime/tfjs/kernel-set.js";
import { scalarFaults } from "../support/kernels/check-scalars.js";
import { checkKernel, kernelCases } from "../support/kernels/check.js";
import { required } from "../support/required.js";

const withNative = required("node-gpu") || findNative("@tensorflow/tfjs-node-gpu") !== null;
const native = withNative ? (["node-gpu"] as const) : [];

describe.each(["cpu", "wasm", ...native] as const)("generic kernels on %s", (name) => {
  let backend: Backend;
  let kernels: KernelSet;
  beforeAll(async () => {
    backend = await chooseBackend(name);
    kernels = name === "node-gpu" ? backend.kernels : createGenericKernels(backend.tf);
  });

  it.each(kernelCases.map((one) => [one.name, one] as const))("%s", async (_, one) => {
    await checkKernel(backend.tf, kernels, one, 100);
  });

  it("scalar functions keep their precision", async () => {
    expect(await scalarFaults(backend.tf, kernels, 2e-6)).toEqual([]);
  });
});
