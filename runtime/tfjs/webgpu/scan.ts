/**
 * `scan`: positions are cut from the sequences and put into the stacks by kernels that get the position's number as a uniform, so
 * that all of them share one pipeline.
 */

import type { DataType, Tensor } from "@tensorflow/tfjs";
import type { KernelSet } from "../kernel-set.js";
import { type Stack, createScanLoop } from "../scan-loop.js";
import { viewAlong } from "../wasm/structure.js";
import type { Kernels } from "./kernel.js";
import type { Maps } from "./map/map.js";
import { type Program, elementwise } from "./wgsl/shader.js";

type View = ReturnType<typeof viewAlong>;

export function createScan(kernels: Kernels, maps: Maps): KernelSet["scan"] {
  const { gpu } = kernels;
  const stackOf = (tensor: Tensor, axis: number): Stack => {
    const view = viewAlong(tensor.shape, axis);
    const shape = tensor.shape.filter((_, i) => i !== axis);
    const key = `position ${view.before} ${view.size} ${view.step}`;
    return {
      tensor,
      read(t) {
        const program = kernels.program(key, () => positionProgram(view, "read"));
        return kernels.make(program, [tensor], shape, tensor.dtype as DataType, t);
      },
      write(t, slice) {
        const program = kernels.program(`into ${key}`, () => positionProgram(view, "write"));
        kernels.run(program, [gpu.storage(slice), gpu.storage(tensor)], t);
      },
    };
  };
  return createScanLoop({
    stackOf,
    make: (shape, dtype) => gpu.output([...shape], dtype),
    copy: (x) => maps.copy(x),
    map: (kernel, inputs, sizes) => maps.map(kernel, inputs, sizes),
  });
}

/** Position `step.at` of a tensor with the axis to one without it, or back. */
function positionProgram({ before, size, step }: View, way: "read" | "write"): Program {
  const inner = step === 1 ? "0u" : `i % ${step}u`;
  const stacked = `(i / ${step}u) * ${size * step}u + step.at * ${step}u + ${inner}`;
  return elementwise({
    bindings: [
      { name: "x", element: "u32", access: "read" },
      { name: "y", element: "u32", access: "write" },
    ],
    stepped: true,
    count: before * step,
    body: way === "read" ? `y[i] = x[${stacked}];` : `y[${stacked}] = x[i];`,
  });
}
