/**
 * Records what tfjs asks of TensorFlow while something runs: constants made, and ops with their attributes, inputs and
 * outputs. That is a graph already, whatever code called for it.
 */

import type { Binding, Data, NativeBackend, OpAttribute } from "./binding.js";
import type { Constant, GraphDef, Input } from "./graph-def.js";

type Recorded =
  | (Constant & { readonly kind: "constant"; readonly id: number })
  | {
      readonly kind: "op";
      readonly name: string;
      readonly attributes: readonly OpAttribute[];
      readonly inputs: readonly number[];
      readonly outputs: readonly number[];
    };

/** A tensor from before the recording. */
export interface External {
  readonly data: Data;
  readonly id: number;
  readonly shape: readonly number[];
}

export class Tape {
  readonly recorded: Recorded[] = [];
  readonly #externals = new Map<number, External>(); // by id
  readonly #made = new Set<number>(); // ids
  readonly #written = new Set<object>(); // data ids
  /** What a kernel read back: what followed may depend on it, and would not in a replay. */
  #read: number | null = null;
  #readBack = false;

  get externals(): readonly External[] {
    return [...this.#externals.values()];
  }

  /** @throws where a kernel reads a value back */
  run<Result>(backend: NativeBackend, work: () => Result): Result {
    const { binding } = backend;
    const own = Object.getOwnPropertyNames(binding).map((name) => [
      name,
      binding[name as keyof Binding],
    ]);
    const methods = { write: backend.write, getInputTensorIds: backend.getInputTensorIds };
    // not a Proxy: the binding's properties cannot be redefined, and a Proxy must then give them as they are
    backend.binding = { ...(Object.fromEntries(own) as Binding), ...this.#recording(binding) };
    backend.write = (...given) => {
      const dataId = methods.write.apply(backend, given);
      this.#written.add(dataId);
      return dataId;
    };
    backend.getInputTensorIds = (tensors) => {
      for (const one of tensors) this.#note(backend, binding, one);
      return methods.getInputTensorIds.call(backend, tensors);
    };
    try {
      const result = work();
      if (this.#readBack || this.#read !== null)
        throw new Error("a kernel reads values back, which a graph cannot");
      return result;
    } finally {
      Object.assign(backend, { binding, ...methods });
    }
  }

  /** Writes all that was recorded; returns every tensor's name by its id. `given` are names of externals. */
  write(graph: GraphDef, given: ReadonlyMap<number, Input>): Map<number, Input> {
    const names = new Map(given);
    this.recorded.forEach((one, i) => {
      if (one.kind === "constant") {
        names.set(one.id, graph.constant(`constant${i}`, one));
        return;
      }
      const inputs = one.inputs.map((id) => names.get(id)!);
      graph.add(`op${i}`, one.name, inputs, one.attributes);
      one.outputs.forEach((id, output) => names.set(id, `op${i}:${output}`));
    });
    return names;
  }

  #recording(binding: Binding): Partial<Binding> {
    return {
      createTensor: (shape, dtype, values) => {
        const id = binding.createTensor(shape, dtype, values);
        const copy = Float64Array.from(values);
        this.recorded.push({ kind: "constant", id, shape: [...shape], dtype, values: copy });
        this.#made.add(id);
        return id;
      },
      executeOp: (name, attributes, inputs, outputs) => {
        // tfjs reads a gather's indices to check them, and nothing depends on what it reads
        if (this.#read !== null && !(name === "GatherV2" && inputs[1] === this.#read))
          this.#readBack = true;
        this.#read = null;
        const made = binding.executeOp(name, attributes, inputs, outputs);
        const ids = made.map(({ id }) => id);
        this.recorded.push({ kind: "op", name, attributes, inputs: [...inputs], outputs: ids });
        for (const id of ids) this.#made.add(id);
        return made;
      },
      tensorDataSync: (id) => {
        if (this.#read !== null) this.#readBack = true;
        this.#read = id;
        return binding.tensorDataSync(id);
      },
    };
  }

  /** A tensor that neither an op nor a constant of this recording has made is from outside. */
  #note(backend: NativeBackend, binding: Binding, tensor: Data): void {
    if (!("dataId" in tensor) || this.#written.has(tensor.dataId)) return; // tfjs-node's int64 scalars have none
    const info = backend.tensorMap.get(tensor.dataId);
    if (info.values !== null) {
      info.id = binding.createTensor(info.shape, info.dtype, info.values);
      info.values = null;
    }
    if (this.#made.has(info.id) || this.#externals.has(info.id)) return;
    this.#externals.set(info.id, { data: tensor, id: info.id, shape: info.shape });
  }
}
