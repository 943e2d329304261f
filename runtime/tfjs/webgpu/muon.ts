/**
 * Muon in place (formulas: ../muon.ts) with what changes from step to step in AdamW's `control`, so that a recorded step can be
 * run again. Products and maps make the orthogonal update; the two kernels here stand before and behind them.
 */

import type { Tensor } from "@tensorflow/tfjs";
import { muonScale } from "../../../compiler/ir/muon.js";
import { type Products, orthogonalise } from "../muon.js";
import type { MuonOf } from "../train/settings.js";
import type { Kernels } from "./kernel.js";
import type { Storage } from "./launch.js";
import { type Program, elementwise, literal } from "./wgsl/shader.js";

/** Launches one step of a parameter; tensors: p, m and the gradient. */
export function muonInPlace(
  kernels: Kernels,
  products: Products,
  { axes, matrix, momentum, iterations, decay }: MuonOf,
  [p, m, g]: readonly Tensor[],
  control: Storage,
): void {
  const { gpu } = kernels;
  const count = p!.size;
  const update = gpu.output(p!.shape, "float32");
  const start = kernels.program(`muon start ${count} ${momentum}`, () =>
    startProgram(count, momentum),
  );
  kernels.run(start, [...[g!, m!, update].map((x) => gpu.storage(x)), control]);
  const X = orthogonalise(products, axes, matrix, iterations, update);
  const scale = muonScale(axes, matrix);
  const end = kernels.program(`muon end ${[count, scale, decay].join()}`, () =>
    endProgram(count, scale, decay),
  );
  kernels.run(end, [...[X, p!].map((x) => gpu.storage(x)), control]);
  update.dispose();
  X.dispose();
}

/** m ← μ m + g, u = g + μ m; where the step is not made m stays, and u does not matter. */
function startProgram(count: number, momentum: number): Program {
  const mu = literal(momentum);
  return elementwise({
    bindings: [
      { name: "g", element: "f32", access: "read" },
      { name: "m", element: "f32", access: "write" },
      { name: "u", element: "f32", access: "write" },
      { name: "control", element: "f32", access: "read" },
    ],
    count,
    body: `if (control[4] == 0f) { return; }
let gradient = g[i] * control[3];
let next = ${mu} * m[i] + gradient;
m[i] = next;
u[i] = gradient + ${mu} * next;`,
  });
}

function endProgram(count: number, scale: number, decay: number): Program {
  return elementwise({
    bindings: [
      { name: "x", element: "f32", access: "read" },
      { name: "p", element: "f32", access: "write" },
      { name: "control", element: "f32", access: "read" },
    ],
    count,
    body: `if (control[4] == 0f) { return; }
p[i] -= control[0] * (${literal(scale)} * x[i] + ${literal(decay)} * p[i]);`,
  });
}
