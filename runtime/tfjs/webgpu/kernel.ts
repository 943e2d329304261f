/** What kernels are written against: programs made once for each key, and launches on tensors. */

import type { DataType, Tensor } from "@tensorflow/tfjs";
import type { WebGpu } from "./device.js";
import type { Storage } from "./launch.js";
import type { Element, Program } from "./wgsl/shader.js";

export class Kernels {
  readonly gpu: WebGpu;
  readonly #programs = new Map<string, Program>();
  readonly #names = new Map<Program, string>();

  constructor(gpu: WebGpu) {
    this.gpu = gpu;
  }

  /** The program of a key; a key says everything that its code depends on. */
  program(key: string, make: () => Program): Program {
    const known = this.#programs.get(key);
    if (known) return known;
    const made = make();
    this.#programs.set(key, made);
    this.#names.set(made, key);
    return made;
  }

  run(program: Program, storages: readonly Storage[], step = 0): void {
    const { shader, workgroups } = program;
    this.gpu.launch({ name: this.#names.get(program)!, shader, storages, step, workgroups });
  }

  /** Runs a program whose only result is a new tensor, bound last. */
  make(
    program: Program,
    inputs: readonly Tensor[],
    shape: readonly number[],
    dtype: DataType = "float32",
    step = 0,
  ): Tensor {
    const output = this.gpu.output(shape, dtype);
    this.run(
      program,
      [...inputs, output].map((tensor) => this.gpu.storage(tensor)),
      step,
    );
    return output;
  }
}

/** How a kernel computes with a tensor's elements. */
export function elementOf({ dtype }: Tensor): Element {
  return dtype === "float32" ? "f32" : "i32";
}

/** An element as a number to compute with. */
export function asFloat(element: Element, text: string): string {
  return element === "f32" ? text : `f32(${text})`;
}
