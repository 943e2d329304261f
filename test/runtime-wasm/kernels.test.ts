/** The WebAssembly kernels against the float64 reference. */

import { beforeAll, describe, expect, it } from "vitest";
import { type Backend, chooseBackend } from "../../runtime/tfjs/backend.js";
import { createGenericKernels } from "../../runtime/tfjs/generic/index.js";
import type { KernelSet } from "../../runtime/tfjs/kernel-set.js";
import { createWasmKernels } from "../../runtime/tfjs/wasm/index.js";
import { scalarFaults } from "../support/kernels/check-scalars.js";
import { checkKernel, kernelCases } from "../support/kernels/check.js";

describe("wasm kernels", () => {
  let backend: Backend;
  let kernels: KernelSet;
  beforeAll(async () => {
    backend = await chooseBackend("wasm");
    kernels = createWasmKernels(backend.tf, createGenericKernels(backend.tf));
  });

  it.each(kernelCases.map((one) => [one.name, one] as const))("%s", async (_, one) => {
    await checkKernel(backend.tf, kernels, one, 150);
  });

  it("scalar functions keep their precision", async () => {
    expect(await scalarFaults(backend.tf, kernels, 4e-7)).toEqual([]);
  });
});
