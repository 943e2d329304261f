/**
 * Records what tfjs asks of TensorFlow while something runs: constants made, and ops with their attributes, inputs and
 * outputs. That is a graph already, whatever code called for it.
 */

import type { Binding, NativeBackend, OpAttribute } from "./binding.js";

export type Recorded =
  | {
      readonly kind: "constant";
      readonly id: number;
      readonly shape: readonly number[];
      readonly dtype: number;
      readonly values: ArrayLike<number>;
    }
  | {
      readonly kind: "op";
      readonly name: string;
      readonly attributes: readonly OpAttribute[];
      readonly inputs: readonly number[];
      readonly outputs: readonly number[];
    };

/** `recorded` is null where a value was read back: what followed may depend on it, and would not in a replay. */
export function record<Result>(
  backend: NativeBackend,
  run: () => Result,
): { readonly result: Result; readonly recorded: readonly Recorded[] | null } {
  const recorded: Recorded[] = [];
  const binding = backend.binding;
  let read: number | null = null;
  let readBack = false;
  const recording: Partial<Binding> = {
    createTensor(shape, dtype, values) {
      const id = binding.createTensor(shape, dtype, values);
      const copy = Array.from(values);
      recorded.push({ kind: "constant", id, shape: [...shape], dtype, values: copy });
      return id;
    },
    executeOp(name, attributes, inputs, outputs) {
      // tfjs reads a gather's indices to check them, and nothing depends on what it reads
      if (read !== null && !(name === "GatherV2" && inputs[1] === read)) readBack = true;
      read = null;
      const made = binding.executeOp(name, attributes, inputs, outputs);
      const ids = made.map(({ id }) => id);
      recorded.push({ kind: "op", name, attributes, inputs: [...inputs], outputs: ids });
      return made;
    },
    tensorDataSync(id) {
      if (read !== null) readBack = true;
      read = id;
      return binding.tensorDataSync(id);
    },
  };
  // not a Proxy: the binding's properties cannot be redefined, and a Proxy must then give them as they are
  const others = Object.getOwnPropertyNames(binding).map((name) => [
    name,
    binding[name as keyof Binding],
  ]);
  backend.binding = { ...(Object.fromEntries(others) as Binding), ...recording };
  try {
    const result = run();
    return { result, recorded: readBack || read !== null ? null : recorded };
  } finally {
    backend.binding = binding;
  }
}
