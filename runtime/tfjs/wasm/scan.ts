/**
 * `scan`: the loop runs here and calls the body; positions are cut from the sequences and put into the stacks
 * by copies of rows, so that a step makes no tensor but the slices that the body reads.
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { KernelSet, MapKernel, ScanOptions } from "../kernel-set.js";
import { without } from "../letters.js";
import { alongState } from "../generic/scan.js";
import type { Heap } from "./heap.js";
import type { Maps } from "./map/map.js";
import type { RowMover } from "./rows.js";
import { viewAlong } from "./structure.js";

/** A tensor with the scanned axis, as rows of one position each. */
class Stack {
  readonly tensor: Tensor;
  readonly #heap: Heap;
  readonly #rows: RowMover;
  readonly #before: number;
  readonly #words: number;
  readonly #stride: number;
  readonly #shape: readonly number[];

  constructor(heap: Heap, rows: RowMover, tensor: Tensor, axis: number) {
    const { before, size, step } = viewAlong(tensor.shape, axis);
    this.tensor = tensor;
    this.#heap = heap;
    this.#rows = rows;
    this.#before = before;
    this.#words = step;
    this.#stride = 4 * step * size;
    this.#shape = tensor.shape.filter((_, i) => i !== axis);
  }

  /** A new tensor: position `t`. */
  read(t: number): Tensor {
    const slice = this.#heap.output(this.#shape, this.tensor.dtype);
    const from = this.#heap.address(this.tensor) + 4 * t * this.#words;
    this.#rows.copy(
      this.#heap.address(slice),
      from,
      this.#before,
      this.#words,
      4 * this.#words,
      this.#stride,
    );
    return slice;
  }

  write(t: number, slice: Tensor): void {
    const to = this.#heap.address(this.tensor) + 4 * t * this.#words;
    this.#rows.copy(
      to,
      this.#heap.address(slice),
      this.#before,
      this.#words,
      this.#stride,
      4 * this.#words,
    );
  }
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

export function createScan(heap: Heap, maps: Maps, rows: RowMover): KernelSet["scan"] {
  const noSizes = {};
  const restarts = new Map<string, MapKernel>();
  const restartOf = (letters: string, state: string, value: number): MapKernel => {
    const key = `${letters},${state},${value}`;
    let kernel = restarts.get(key);
    if (!kernel) restarts.set(key, (kernel = restartKernel(letters, state, value)));
    return kernel;
  };
  const copyOf = (x: Tensor): Tensor => {
    const copy = heap.output(x.shape, x.dtype);
    rows.copy(heap.address(copy), heap.address(x), 1, x.size, 0, 0);
    return copy;
  };
  const stackOf = (x: Tensor, axis: number): Stack => new Stack(heap, rows, x, axis);
  /** A stack for slices like this one, with the axis at its place in `letters`. */
  const stackFor = (slice: Tensor, letters: string, { axis, length }: ScanOptions): Stack => {
    const at = letters.indexOf(axis);
    const shape = [...slice.shape.slice(0, at), length, ...slice.shape.slice(at)];
    return stackOf(heap.output(shape, slice.dtype), at);
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
    let states: Tensor[] = initial.map(copyOf);

    for (let step = 0; step < length; step++) {
      const t = options.reverse ? length - 1 - step : step;
      if (flags) {
        const flag = flags.read(t);
        states = states.map((state, i) => {
          const begun = maps.run(restartKernels[i]!, [flag, state], noSizes);
          state.dispose();
          return begun;
        });
        flag.dispose();
      }
      states.forEach((state, i) => {
        if (!wanted.befores[i]) return;
        const stack = (befores[i] ??= stackFor(
          state,
          alongState(options.states[i]!, axis),
          options,
        ));
        stack.write(t, state);
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
        given.has(state) || result.states.indexOf(state) < i ? copyOf(state) : state,
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
