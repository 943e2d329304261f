/** slice, pad, concat, shift: elements moved on the view [before, axis, after], whatever their type. */

import type { Tensor } from "@tensorflow/tfjs";
import type { KernelSet } from "../kernel-set.js";
import { viewAlong, withSize } from "../wasm/structure.js";
import type { Kernels } from "./kernel.js";
import { mostStorages } from "./launch.js";
import { type Binding, type Program, elementwise } from "./wgsl/shader.js";

type Structure = Pick<KernelSet, "slice" | "pad" | "concat" | "shift">;

const source = (name: string): Binding => ({ name, element: "u32", access: "read" });
const target: Binding = { name: "y", element: "u32", access: "write" };

export function createStructure(kernels: Kernels): Structure {
  /** y[i] = x[i + by] for the `size` steps of y, and 0 where x has no such step. */
  const moved = (x: Tensor, axis: number, by: number, size: number): Tensor => {
    const view = viewAlong(x.shape, axis);
    const key = `move ${view.before} ${view.size} ${view.step} ${by} ${size}`;
    const program = kernels.program(key, () => moveProgram(view, by, size));
    return kernels.make(program, [x], withSize(x.shape, axis, size), x.dtype);
  };
  return {
    slice: (x, axis, start, size) => moved(x, axis, start, size),
    pad: (x, axis, before, after) => moved(x, axis, -before, before + x.shape[axis]! + after),
    shift: (x, axis, by) => moved(x, axis, -by, x.shape[axis]!),
    concat(xs, axis) {
      const own = xs.map((x) => viewAlong(x.shape, axis));
      const total = own.reduce((sum, { size }) => sum + size, 0);
      const { before, step } = own[0]!;
      const y = kernels.gpu.output(withSize(xs[0]!.shape, axis, total), xs[0]!.dtype);
      let at = 0;
      for (let first = 0; first < xs.length; first += mostStorages - 1) {
        const sizes = own.slice(first, first + mostStorages - 1).map(({ size }) => size);
        const start = at;
        const key = `concat ${before} ${step} ${total} ${start} ${sizes.join()}`;
        const program = kernels.program(key, () =>
          concatProgram(before, step, total, start, sizes),
        );
        const storages = [...xs.slice(first, first + sizes.length), y];
        kernels.run(
          program,
          storages.map((tensor) => kernels.gpu.storage(tensor)),
        );
        at += sizes.reduce((sum, size) => sum + size, 0);
      }
      return y;
    },
  };
}

function moveProgram(x: ReturnType<typeof viewAlong>, by: number, size: number): Program {
  return elementwise({
    bindings: [source("x"), target],
    count: x.before * size * x.step,
    body: `let origin = i32((i / ${x.step}u) % ${size}u) + ${by}i;
var value = 0u;
if (origin >= 0i && origin < ${x.size}i) {
value = x[(i / ${size * x.step}u) * ${x.size * x.step}u + u32(origin) * ${x.step}u + i % ${x.step}u];
}
y[i] = value;`,
  });
}

/** Some of the tensors to their place, which begins at step `start` of the `total` of y. */
function concatProgram(
  before: number,
  step: number,
  total: number,
  start: number,
  sizes: readonly number[],
): Program {
  const steps = sizes.reduce((sum, size) => sum + size, 0);
  let passed = 0;
  const cases = sizes.map((size, source) => {
    const line = `if (at < ${passed + size}u) {
y[to] = x${source}[(outer * ${size}u + at - ${passed}u) * ${step}u + inner];
return;
}`;
    passed += size;
    return line;
  });
  return elementwise({
    bindings: [...sizes.map((_, i) => source(`x${i}`)), target],
    count: before * steps * step,
    body: `let inner = i % ${step}u;
let at = (i / ${step}u) % ${steps}u;
let outer = i / ${steps * step}u;
let to = (outer * ${total}u + ${start}u + at) * ${step}u + inner;
${cases.join("\n")}`,
  });
}
