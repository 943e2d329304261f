/**
 * A training state's tensors as TensorFlow variables, which a graph changes where they lie.
 *
 * From then on the state's maps hold no tensors but ask for them: who reads `state.weights[path]` gets the variable's value
 * after the latest step, fetched when it is first asked for. Such a tensor lives until the next step, as in steps that are
 * not recorded; it shares the variable's memory, which TensorFlow copies only when it is about to write there.
 *
 * A variable starts as a copy of its own. A tensor made of a JavaScript array lies in that array's memory, and whoever drops it last
 * tells Node so: TensorFlow's threads would, side by side, at the first step that replaces it, and Node's books break.
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { Tf } from "../../generic/context.js";
import { type TrainState, slots } from "../../train/state.js";
import type { NativeBackend } from "./binding.js";
import type { GraphDef, Input } from "./graph-def.js";
import type { Session } from "./session.node.js";

const maps = ["weights", ...slots] as const;
type MapName = (typeof maps)[number];

/** A variable's nodes. */
export interface Variable {
  readonly path: string;
  readonly handle: Input;
  readonly value: Input;
  readonly start: Input;
}

export class Variables {
  readonly #tf: Tf;
  readonly #backend: NativeBackend;
  readonly #state: TrainState;
  readonly #nodes: Readonly<Record<MapName, Map<string, Variable>>> = {
    weights: new Map(),
    m: new Map(),
    v: new Map(),
    momentum: new Map(),
  };
  readonly #fetched: Record<MapName, Map<string, Tensor> | null> = {
    weights: null,
    m: null,
    v: null,
    momentum: null,
  };
  #session: Session | null = null;

  constructor(tf: Tf, state: TrainState) {
    this.#tf = tf;
    this.#backend = tf.backend() as unknown as NativeBackend;
    this.#state = state;
  }

  of(map: MapName, path: string): Variable {
    return this.#nodes[map].get(path)!;
  }

  /** The name of the value of each weight's variable, by the id of the tensor that is there now. */
  weightsById(): Map<number, Input> {
    const { weights } = this.#state;
    return new Map(
      [...this.#nodes.weights].map(([path, { value }]) => [
        this.#backend.getInputTensorIds([weights[path]!])[0]!,
        value,
      ]),
    );
  }

  write(graph: GraphDef): void {
    const { TF_FLOAT } = this.#backend.binding;
    const type = graph.type("dtype", TF_FLOAT);
    const started: Input[] = [];
    for (const map of maps)
      Object.entries(this.#state[map]).forEach(([path, { shape }], i) => {
        const name = `${map}${i}`;
        const shared = {
          name: "shared_name",
          type: this.#backend.binding.TF_ATTR_STRING,
          value: name,
        };
        const handle = graph.add(name, "VarHandleOp", [], [type, graph.shape(shape), shared]);
        const value = graph.add(`${name}.value`, "ReadVariableOp", [handle], [type]);
        const start = graph.placeholder(`${name}.start`, TF_FLOAT, shape);
        const own = graph.add(`${name}.own`, "DeepCopy", [start], [graph.type("T", TF_FLOAT)]);
        graph.add(`${name}.assign`, "AssignVariableOp", [handle, own], [type]);
        started.push(`^${name}.assign`);
        this.#nodes[map].set(path, { path, handle, value, start });
      });
    const one = graph.constant("one", { shape: [], dtype: TF_FLOAT, values: [1] });
    graph.add("started", "Identity", [one, ...started], [graph.type("T", TF_FLOAT)]);
  }

  /** Hands the state's tensors over to the variables. */
  start(session: Session): void {
    const { binding } = this.#backend;
    const feeds = new Map(
      maps.flatMap((map) =>
        [...this.#nodes[map]].map(([path, { start }]): [Input, number] => [
          start,
          this.#backend.getInputTensorIds([this.#state[map][path]!])[0]!,
        ]),
      ),
    );
    for (const { id } of session.run(feeds, ["started:0"])) binding.deleteTensor(id);
    this.#session = session;
    for (const map of maps)
      for (const path of this.#nodes[map].keys()) {
        this.#state[map][path]!.dispose();
        Object.defineProperty(this.#state[map], path, {
          get: () => this.#fetch(map).get(path)!,
          enumerable: true,
          configurable: true,
        });
      }
  }

  /** Before the variables change. */
  forget(): void {
    for (const map of maps) {
      for (const tensor of this.#fetched[map]?.values() ?? []) tensor.dispose();
      this.#fetched[map] = null;
    }
  }

  /** Gives the state its tensors back. */
  end(): void {
    for (const map of maps)
      for (const [path, value] of this.#fetch(map))
        Object.defineProperty(this.#state[map], path, {
          value,
          writable: true,
          enumerable: true,
          configurable: true,
        });
  }

  #fetch(map: MapName): ReadonlyMap<string, Tensor> {
    let fetched = this.#fetched[map];
    if (fetched === null) {
      const variables = [...this.#nodes[map].values()];
      const made =
        variables.length === 0
          ? []
          : this.#session!.run(
              new Map(),
              variables.map(({ value }) => value),
            );
      fetched = new Map(
        // kept: who asks may do so within a tidy
        made.map((one, i) => [
          variables[i]!.path,
          this.#tf.keep(this.#backend.createOutputTensor(one)),
        ]),
      );
      this.#fetched[map] = fetched;
    }
    return fetched;
  }
}
