/** The WebAssembly kernels against the float64 reference. */

import { beforeAll, describe, expect, it } from "vitest";
import { type Backend, chooseBackend } from "../../runtime/tfjs/backend.js";
import { createGenericKernels } from "../../runtime/tfjs/generic/index.js";
import type { KernelSet } from "../../runtime/tfjs/kernel-set.js";
import type { StartTeam } from "../../runtime/tfjs/wasm/heap.js";
import { createWasmKernels } from "../../runtime/tfjs/wasm/index.js";
import { startTeam } from "../../runtime/tfjs/wasm/threads/workers.node.js";
import { scalarFaults } from "../support/kernels/check-scalars.js";
import { checkKernel, kernelCases } from "../support/kernels/check.js";

const teams: readonly (readonly [string, StartTeam | null])[] = [
  ["on one thread", null],
  // every kernel that can be split is, however little there is to do
  ["shared by three threads", (memory) => startTeam(memory, 3, 1e-6)],
];

describe.each(teams)("wasm kernels %s", (_, start) => {
  let backend: Backend;
  let kernels: KernelSet;
  beforeAll(async () => {
    process.env["LSM_THREADS"] = "3";
    backend = await chooseBackend("wasm");
    kernels = createWasmKernels(backend.tf, createGenericKernels(backend.tf), start);
  });

  it.each(kernelCases.map((one) => [one.name, one] as const))("%s", async (_, one) => {
    await checkKernel(backend.tf, kernels, one, 150);
  });

  it("scalar functions keep their precision", async () => {
    expect(await scalarFaults(backend.tf, kernels, 4e-7)).toEqual([]);
  });
});
