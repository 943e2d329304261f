/** The kernels of the WebGPU backend: generated WGSL on a device of our own, with nothing to fall back on. */

import type { Tf } from "../generic/context.js";
import type { KernelSet } from "../kernel-set.js";
import { type Products, createMuon } from "../muon.js";
import { createAdamw } from "./adamw.js";
import { createConv } from "./conv.js";
import { createCumulate } from "./cumulate.js";
import type { WebGpu } from "./device.js";
import { Kernels } from "./kernel.js";
import { createLinearScan } from "./linear-scan.js";
import { createLookup } from "./lookup.js";
import { Maps } from "./map/map.js";
import { createOrder } from "./order.js";
import { Dot } from "./product/dot.js";
import { createGrouped } from "./product/grouped.js";
import { GpuRecorder } from "./record/recorder.js";
import { createScan } from "./scan.js";
import { createSolve } from "./solve.js";
import { createStructure } from "./structure.js";

export function createWebGpuKernels(
  tf: Tf,
  gpu: WebGpu,
): { readonly kernels: KernelSet; readonly recorder: GpuRecorder } {
  const kernels = new Kernels(gpu);
  const maps = new Maps(kernels);
  const dot = new Dot(kernels, maps);
  const own: Products = { map: maps.map, dot: (spec, a, b) => dot.run(spec, a, b) };
  const set: KernelSet = {
    ...own,
    sum: (spec, x) => maps.reduce(spec, "sum", x),
    max: (spec, x) => maps.reduce(spec, "max", x),
    expand: (spec, x, sizes) => maps.expand(spec, x, sizes),
    reshape: (x, shape) => gpu.view(x, shape),
    ...createStructure(kernels),
    ...createLookup(kernels),
    ...createOrder(kernels),
    cumulate: createCumulate(kernels),
    linearScan: createLinearScan(kernels),
    solve: createSolve(kernels),
    ...createGrouped(kernels, maps),
    ...createConv(kernels, maps),
    scan: createScan(kernels, maps),
    adamw: createAdamw(kernels, maps),
    muon: createMuon(tf, own),
  };
  return {
    kernels: set,
    recorder: new GpuRecorder(kernels, maps, own, (size) => tf.zeros([size])),
  };
}
