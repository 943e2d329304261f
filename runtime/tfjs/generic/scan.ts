/**
 * `scan`: the body once a position, states handed on from step to step.
 *
 * The body's own tensors are its business; this file frees each slice, state and output as soon as nothing
 * needs it, so that a long sequence holds only what was asked for.
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { KernelSet, ScanOptions, ScanResult } from "../kernel-set.js";
import type { Context } from "./context.js";
import type { createMap } from "./map.js";
import { threeAxes, view } from "./layout.js";
import { product, union, without } from "../letters.js";

/** One tensor a position: x without the axis. */
function unstack({ tf, can }: Context, x: Tensor, axis: number): Tensor[] {
  if (can.mergesAxes) return tf.unstack(x, axis);
  const shape = x.shape.filter((_, i) => i !== axis);
  return tf.tidy(() => tf.unstack(threeAxes(x, axis), 1).map((part) => view(part, shape)));
}

/** The inverse: along a new axis at `axis`. Frees the parts. */
function stack({ tf, can }: Context, parts: readonly Tensor[], axis: number): Tensor {
  const { shape } = parts[0]!;
  const [outer, inner] = [shape.slice(0, axis), shape.slice(axis)];
  const joined = (): Tensor => {
    const columns = parts.map((part) => view(part, [product(outer), 1, product(inner)]));
    return view(tf.concat(columns, 1), [...outer, parts.length, ...inner]);
  };
  const whole = can.mergesAxes ? tf.stack([...parts], axis) : tf.tidy(joined);
  tf.dispose([...parts]);
  return whole;
}

export function createScan(context: Context, map: ReturnType<typeof createMap>): KernelSet["scan"] {
  const { tf } = context;

  /** The states a step begins with: their restart values where the flag is set. Always new tensors. */
  const begin = (
    options: ScanOptions,
    states: readonly Tensor[],
    flags: Tensor | null,
  ): Tensor[] => {
    if (!options.resets || !flags) return states.map((state) => tf.clone(state));
    const letters = without(options.resets.letters, options.axis);
    return states.map((state, i) => {
      const own = options.states[i]!;
      const kernel = {
        inputs: [letters, own],
        output: own,
        reduce: null,
        code: [
          {
            fn: "select",
            arguments: [
              { kind: "input", index: 0 },
              { kind: "constant", value: options.resets!.restart[i]! },
              { kind: "input", index: 1 },
            ],
          },
        ],
      } as const;
      return tf.tidy(() => map(kernel, [flags, state], {}));
    });
  };

  return (options, initial, sequences, statics, body): ScanResult => {
    const { axis, length, wanted } = options;
    const at = (letters: string): number => letters.indexOf(axis);
    const steps = sequences.map((sequence, i) =>
      unstack(context, sequence, at(options.sequences[i]!)),
    );
    const flags =
      options.resets && unstack(context, options.resets.flags, at(options.resets.letters));
    const outputs: Tensor[][] = options.outputs.map(() => []);
    const befores: Tensor[][] = options.states.map(() => []);
    let states = initial.map((state) => tf.clone(state));

    for (let step = 0; step < length; step++) {
      const t = options.reverse ? length - 1 - step : step;
      const current = begin(options, states, flags && flags[t]!);
      tf.dispose(states);
      const slices = steps.map((parts) => parts[t]!);
      const result = body(current, slices, statics);
      // A body may hand back what it was given, or one tensor twice; what is kept must be ours alone.
      const taken = new Set<Tensor>([...current, ...slices, ...statics]);
      const own = (tensor: Tensor): Tensor => {
        if (taken.has(tensor)) return tf.clone(tensor);
        taken.add(tensor);
        return tensor;
      };
      states = result.states.map(own);
      result.outputs.map(own).forEach((output, i) => {
        if (wanted.outputs[i]) outputs[i]![t] = output;
        else output.dispose();
      });
      current.forEach((state, i) => {
        if (wanted.befores[i]) befores[i]![t] = state;
        else state.dispose();
      });
      tf.dispose(slices);
      if (flags) flags[t]!.dispose();
    }

    const join = (parts: readonly Tensor[], letters: string): Tensor =>
      stack(context, parts, at(letters));
    return {
      outputs: outputs.map((parts, i) =>
        wanted.outputs[i] ? join(parts, options.outputs[i]!) : null,
      ),
      befores: befores.map((parts, i) =>
        wanted.befores[i] ? join(parts, alongState(options.states[i]!, axis)) : null,
      ),
      finals: states.map((state, i) => {
        if (wanted.finals[i]) return state;
        state.dispose();
        return null;
      }),
    };
  };
}

/** A state's letters with the axis after B, else first. */
export function alongState(letters: string, axis: string): string {
  return letters.startsWith("B") ? union("B", axis, letters) : union(axis, letters);
}
