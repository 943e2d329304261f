/**
 * The kernels of the WebAssembly backend, the default one: generated SIMD modules that work in tfjs's own
 * heap. `generic` serves what has no kernel here.
 */

import type { Tf } from "../generic/context.js";
import type { KernelSet } from "../kernel-set.js";
import { createMuon } from "../muon.js";
import { createAdamw } from "./adamw.js";
import { createConv } from "./conv.js";
import { createCumulate } from "./cumulate.js";
import { Multiplier } from "./dot/blocks.js";
import { Dot } from "./dot/dot.js";
import { createGrouped } from "./grouped.js";
import { Heap, type StartTeam } from "./heap.js";
import { createLinearScan } from "./linear-scan.js";
import { createLookup } from "./lookup.js";
import { Maps } from "./map/map.js";
import { createOrder } from "./order.js";
import { createRowMover } from "./rows.js";
import { createScan } from "./scan.js";
import { createSolve } from "./solve.js";
import { createStructure } from "./structure.js";

/** For the backend that is active now, which must be tfjs-backend-wasm with SIMD. */
export function createWasmKernels(
  tf: Tf,
  generic: KernelSet,
  startTeam: StartTeam | null = null,
): KernelSet {
  const heap = new Heap(tf, startTeam);
  const maps = new Maps(heap);
  const multiplier = new Multiplier(heap);
  const dot = new Dot(heap, maps, multiplier);
  const rows = createRowMover(heap);
  const noSizes = {};
  const own = {
    map: (kernel, inputs, sizes) => maps.run(kernel, inputs, sizes),
    dot: (spec, a, b) => dot.run(spec, a, b),
  } satisfies Partial<KernelSet>;
  return {
    ...generic,
    ...own,
    sum: (spec, x) => maps.rearrange(spec, "sum", x, noSizes),
    max: (spec, x) => maps.rearrange(spec, "max", x, noSizes),
    expand: (spec, x, sizes) => maps.rearrange(spec, null, x, sizes),
    reshape: (x, shape) => heap.view(x, shape),
    ...createStructure(heap, rows),
    ...createLookup(heap, rows),
    ...createOrder(heap),
    cumulate: createCumulate(heap, maps),
    ...createGrouped(heap, multiplier, rows),
    ...createConv(heap, maps, rows),
    scan: createScan(heap, maps, rows),
    linearScan: createLinearScan(heap, maps),
    solve: createSolve(heap, maps),
    adamw: createAdamw(heap),
    muon: createMuon(tf, own),
  };
}
