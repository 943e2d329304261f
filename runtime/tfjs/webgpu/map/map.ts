/** `map` and what it serves: sums, maxima, repeats and transposes. */

import type { DataType, Tensor } from "@tensorflow/tfjs";
import type { KernelSet, MapKernel } from "../../kernel-set.js";
import { type Sizes, parseSpec, shapeOf, sizesOf, union } from "../../letters.js";
import { axesOver, collapse, countOf } from "../../wasm/strides.js";
import type { Kernels } from "../kernel.js";
import { offsetAlong, takeApart } from "../wgsl/index.js";
import { elementwise } from "../wgsl/shader.js";
import { bindInputs } from "./inputs.js";
import { mapProgram, planMap } from "./program.js";

/** x itself, as code. */
const same: MapKernel["code"] = [{ fn: "stop", arguments: [{ kind: "input", index: 0 }] }];

export class Maps {
  readonly #kernels: Kernels;
  readonly #names = new WeakMap<MapKernel, number>();
  #named = 0;

  constructor(kernels: Kernels) {
    this.#kernels = kernels;
  }

  readonly map: KernelSet["map"] = (kernel, inputs, sizes) => {
    const known = sizesOf(kernel.inputs, inputs, sizes);
    const whole = kernel.code.at(-1)!.fn === "to_int";
    const output = this.#kernels.gpu.output(
      shapeOf(kernel.output, known),
      whole ? "int32" : "float32",
    );
    const sizeOf = (letter: string): number => known[letter]!;
    const plan = planMap(kernel, sizeOf, !whole);
    const { gpu } = this.#kernels;
    const bound = bindInputs(this.#kernels, inputs);
    const letters = union(kernel.output, ...kernel.inputs);
    const key = `map ${this.#nameOf(kernel)} ${shapeOf(letters, known).join()} ${JSON.stringify(bound.places)}`;
    const program = this.#kernels.program(key, () =>
      mapProgram(kernel, plan, bound, whole ? "i32" : "f32"),
    );
    if (plan.shares.parts === 1)
      this.#kernels.run(program, [...bound.storages, gpu.storage(output)]);
    else {
      const parts = gpu.output([plan.shares.parts, plan.outputs]);
      this.#kernels.run(program, [...bound.storages, gpu.storage(parts)]);
      const joined = { inputs: ["PE"], output: "E", reduce: kernel.reduce, code: same };
      this.#into(joined, parts, gpu.storage(output));
      parts.dispose();
    }
    bound.release();
    return output;
  };

  reduce(spec: string, fn: "sum" | "max", x: Tensor): Tensor {
    const { operands, result } = parseSpec(spec);
    const reduces = [...operands[0]!].some((letter) => !result.includes(letter));
    const kernel = { inputs: operands, output: result, reduce: reduces ? fn : null, code: same };
    return this.map(this.#kept(`${fn} ${spec}`, kernel), [x], {});
  }

  /** Repeats and transposes, of any type of elements. */
  expand(spec: string, x: Tensor, sizes: Sizes): Tensor {
    const { operands, result } = parseSpec(spec);
    const known = sizesOf(operands, [x], sizes);
    const shape = shapeOf(result, known);
    const axes = collapse(axesOver(result, operands, (letter) => known[letter]!));
    const program = this.#kernels.program(`expand ${spec} ${shape.join()}`, () =>
      elementwise({
        bindings: [
          { name: "x", element: "u32", access: "read" },
          { name: "y", element: "u32", access: "write" },
        ],
        count: countOf(axes),
        body: `${takeApart(
          "i",
          "o",
          axes.map(({ size }) => size),
        )}
y[i] = x[${offsetAlong(axes, "o", 0)}];`,
      }),
    );
    return this.#kernels.make(program, [x], shape, x.dtype as DataType);
  }

  copy(x: Tensor): Tensor {
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ".slice(0, x.rank);
    return this.expand(`${letters}->${letters}`, x, {});
  }

  /** A map of one float input whose result has its place already. */
  #into(kernel: MapKernel, x: Tensor, output: ReturnType<Kernels["gpu"]["storage"]>): void {
    const [parts, count] = x.shape as [number, number];
    const made = this.#kernels.program(`join ${kernel.reduce} ${parts} ${count}`, () => {
      const plan = planMap(kernel, (letter) => (letter === "P" ? parts : count), false);
      const places = [{ binding: 0, start: 0, element: "f32" as const }];
      return mapProgram(kernel, plan, { elements: ["f32"], places }, "f32");
    });
    this.#kernels.run(made, [this.#kernels.gpu.storage(x), output]);
  }

  readonly #plain = new Map<string, MapKernel>();

  #kept(key: string, kernel: MapKernel): MapKernel {
    const known = this.#plain.get(key);
    if (known) return known;
    this.#plain.set(key, kernel);
    return kernel;
  }

  #nameOf(kernel: MapKernel): number {
    const known = this.#names.get(kernel);
    if (known !== undefined) return known;
    this.#names.set(kernel, this.#named);
    return this.#named++;
  }
}
