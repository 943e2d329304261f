/**
 * scan: the body once a position. Positions are cut from the sequences and put into the stacks by kernels that
 * get the position's number as a uniform, so that all of them share one pipeline.
 */

import type { DataType, Tensor } from "@tensorflow/tfjs";
import type { KernelSet, MapKernel, ScanOptions } from "../kernel-set.js";
import { without } from "../letters.js";
import { alongState } from "../generic/scan.js";
import { viewAlong } from "../wasm/structure.js";
import type { Kernels } from "./kernel.js";
import type { Maps } from "./map/map.js";
import { type Program, elementwise } from "./wgsl/shader.js";

type View = ReturnType<typeof viewAlong>;

export function createScan(kernels: Kernels, maps: Maps): KernelSet["scan"] {
  const { gpu } = kernels;
  const restarts = new Map<string, MapKernel>();
  const restartOf = (letters: string, state: string, value: number): MapKernel => {
    const key = `${letters},${state},${value}`;
    let kernel = restarts.get(key);
    if (!kernel) restarts.set(key, (kernel = restartKernel(letters, state, value)));
    return kernel;
  };
  const read = (x: Tensor, axis: number, t: number): Tensor => {
    const view = viewAlong(x.shape, axis);
    const key = `position ${view.before} ${view.size} ${view.step}`;
    const program = kernels.program(key, () => positionProgram(view, "read"));
    const shape = x.shape.filter((_, i) => i !== axis);
    return kernels.make(program, [x], shape, x.dtype as DataType, t);
  };
  const write = (stack: Tensor, axis: number, t: number, x: Tensor): void => {
    const view = viewAlong(stack.shape, axis);
    const key = `into position ${view.before} ${view.size} ${view.step}`;
    const program = kernels.program(key, () => positionProgram(view, "write"));
    kernels.run(program, [gpu.storage(x), gpu.storage(stack)], t);
  };
  const copyOf = (x: Tensor): Tensor => maps.copy(x);
  /** A stack for slices like this one, with the axis at its place in `letters`. */
  const stackFor = (slice: Tensor, letters: string, { axis, length }: ScanOptions): Tensor => {
    const at = letters.indexOf(axis);
    return gpu.output([...slice.shape.slice(0, at), length, ...slice.shape.slice(at)], slice.dtype);
  };

  return (options, initial, sequences, statics, body) => {
    const { axis, length, resets, wanted } = options;
    const restartKernels = options.states.map((state, i) =>
      resets ? restartOf(without(resets.letters, axis), state, resets.restart[i]!) : null,
    );
    const outputs: (Tensor | null)[] = options.outputs.map(() => null);
    const befores: (Tensor | null)[] = options.states.map(() => null);
    let states: Tensor[] = initial.map(copyOf);

    for (let step = 0; step < length; step++) {
      const t = options.reverse ? length - 1 - step : step;
      if (resets) {
        const flag = read(resets.flags, resets.letters.indexOf(axis), t);
        states = states.map((state, i) => {
          const begun = maps.map(restartKernels[i]!, [flag, state], {});
          state.dispose();
          return begun;
        });
        flag.dispose();
      }
      states.forEach((state, i) => {
        if (!wanted.befores[i]) return;
        const letters = alongState(options.states[i]!, axis);
        const stack = (befores[i] ??= stackFor(state, letters, options));
        write(stack, letters.indexOf(axis), t, state);
      });
      const slices = sequences.map((x, i) => read(x, options.sequences[i]!.indexOf(axis), t));
      const result = body(states, slices, statics);
      // A body may hand back what it was given, or one tensor twice; states must be ours alone.
      const given = new Set<Tensor>([...states, ...slices, ...statics]);
      result.outputs.forEach((output, i) => {
        if (!wanted.outputs[i]) return;
        const letters = options.outputs[i]!;
        const stack = (outputs[i] ??= stackFor(output, letters, options));
        write(stack, letters.indexOf(axis), t, output);
      });
      const next = result.states.map((state, i) =>
        given.has(state) || result.states.indexOf(state) < i ? copyOf(state) : state,
      );
      const kept = new Set(next);
      for (const output of new Set(result.outputs))
        if (!given.has(output) && !kept.has(output)) output.dispose();
      for (const tensor of [...states, ...slices]) tensor.dispose();
      states = next;
    }

    return {
      outputs,
      befores,
      finals: states.map((state, i) => {
        if (wanted.finals[i]) return state;
        state.dispose();
        return null;
      }),
    };
  };
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

/** Where the flag is set, the restart value; else the state. */
function restartKernel(letters: string, state: string, restart: number): MapKernel {
  return {
    inputs: [letters, state],
    output: state,
    reduce: null,
    code: [
      {
        fn: "select",
        arguments: [
          { kind: "input", index: 0 },
          { kind: "constant", value: restart },
          { kind: "input", index: 1 },
        ],
      },
    ],
  };
}
