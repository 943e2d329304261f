/**
 * `scan` for backends with kernels of their own: the loop runs here and calls the body; positions are cut from the sequences and
 * put into the stacks by the backend, so that a step makes no tensor but the slices that the body reads.
 */

import type { DataType, Tensor } from "@tensorflow/tfjs";
import { alongState } from "./generic/scan.js";
import type { KernelSet, MapKernel, ScanOptions } from "./kernel-set.js";
import { without } from "./letters.js";

/** A tensor with the scanned axis. */
export interface Stack {
  readonly tensor: Tensor;
  /** A new tensor: position `t`. */
  read(t: number): Tensor;
  write(t: number, slice: Tensor): void;
}

export interface ScanParts {
  stackOf(x: Tensor, axis: number): Stack;
  /** A new tensor, its contents undefined. */
  make(shape: readonly number[], dtype: DataType): Tensor;
  copy(x: Tensor): Tensor;
  map: KernelSet["map"];
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

export function createScanLoop({ stackOf, make, copy, map }: ScanParts): KernelSet["scan"] {
  const noSizes = {};
  const restarts = new Map<string, MapKernel>();
  const restartOf = (letters: string, state: string, value: number): MapKernel => {
    const key = `${letters},${state},${value}`;
    let kernel = restarts.get(key);
    if (!kernel) restarts.set(key, (kernel = restartKernel(letters, state, value)));
    return kernel;
  };
  /** A stack for slices like this one, with the axis at its place in `letters`. */
  const stackFor = (slice: Tensor, letters: string, { axis, length }: ScanOptions): Stack => {
    const at = letters.indexOf(axis);
    const shape = [...slice.shape.slice(0, at), length, ...slice.shape.slice(at)];
    return stackOf(make(shape, slice.dtype), at);
  };

  return (options, initial, sequences, statics, body) => {
    const { axis, length, resets, wanted } = options;
    const inputs = sequences.map((x, i) => stackOf(x, options.sequences[i]!.indexOf(axis)));
    const flags = resets && stackOf(resets.flags, resets.letters.indexOf(axis));
    const restartKernels = options.states.map((state, i) =>
      resets ? restartOf(without(resets.letters, axis), state, resets.restart[i]!) : null,
    );
    const outputs: (Stack | null)[] = options.outputs.map(() => null);
    const befores: (Stack | null)[] = options.states.map(() => null);
    let states: Tensor[] = initial.map(copy);

    for (let step = 0; step < length; step++) {
      const t = options.reverse ? length - 1 - step : step;
      if (flags) {
        const flag = flags.read(t);
        states = states.map((state, i) => {
          const begun = map(restartKernels[i]!, [flag, state], noSizes);
          state.dispose();
          return begun;
        });
        flag.dispose();
      }
      states.forEach((state, i) => {
        if (!wanted.befores[i]) return;
        const letters = alongState(options.states[i]!, axis);
        (befores[i] ??= stackFor(state, letters, options)).write(t, state);
      });
      const slices = inputs.map((input) => input.read(t));
      const result = body(states, slices, statics);
      // A body may hand back what it was given, or one tensor twice; states must be ours alone.
      const given = new Set<Tensor>([...states, ...slices, ...statics]);
      result.outputs.forEach((output, i) => {
        if (wanted.outputs[i])
          (outputs[i] ??= stackFor(output, options.outputs[i]!, options)).write(t, output);
      });
      const next = result.states.map((state, i) =>
        given.has(state) || result.states.indexOf(state) < i ? copy(state) : state,
      );
      const kept = new Set(next);
      for (const output of new Set(result.outputs))
        if (!given.has(output) && !kept.has(output)) output.dispose();
      for (const tensor of [...states, ...slices]) tensor.dispose();
      states = next;
    }

    return {
      outputs: outputs.map((stack) => stack?.tensor ?? null),
      befores: befores.map((stack) => stack?.tensor ?? null),
      finals: states.map((state, i) => {
        if (wanted.finals[i]) return state;
        state.dispose();
        return null;
      }),
    };
  };
}
