/** The generic kernels against the float64 reference, on the backends that are always there. */

import { beforeAll, describe, expect, it } from "vitest";
import { type Backend, chooseBackend } from "../../runtime/tfjs/backend.js";
import { createGenericKernels } from "../../runtime/tfjs/generic/index.js";
import type { KernelSet } from "../../runtime/tfjs/kernel-set.js";
import { scalarFaults } from "../support/kernels/check-scalars.js";
import { checkKernel, kernelCases } from "../support/kernels/check.js";

describe.each(["cpu", "wasm"] as const)("generic kernels on %s", (name) => {
  let backend: Backend;
  let kernels: KernelSet;
  beforeAll(async () => {
    backend = await chooseBackend(name);
    kernels = createGenericKernels(backend.tf);
  });

  it.each(kernelCases.map((one) => [one.name, one] as const))("%s", async (_, one) => {
    await checkKernel(backend.tf, kernels, one, 100);
  });

  it("scalar functions keep their precision", async () => {
    expect(await scalarFaults(backend.tf, kernels, 2e-6)).toEqual([]);
  });
});
