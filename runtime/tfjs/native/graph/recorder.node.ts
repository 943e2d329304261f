/**
 * The recorder of TensorFlow: a recording is one graph, and a run one call. Op by op a call costs 50–60 µs, and nothing is
 * fused or folded.
 *
 * What is recorded runs once op by op, which tells the shapes of everything.
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { Tf } from "../../generic/context.js";
import type { Recorder, Recording } from "../../recorder.js";
import type { OptimizerSettings } from "../../train/settings.js";
import type { ParameterSpec } from "../../train/trainable.js";
import { type Data, type NativeBackend, replaceContent } from "./binding.js";
import { GraphDef, type Input } from "./graph-def.js";
import { Session } from "./session.node.js";
import { Tape } from "./tape.js";
import { NativeUpdate } from "./update.js";

/** What was asked for while recording, beside kernels. */
interface Extras {
  readonly assignments: { readonly target: Data; readonly source: number }[];
  update: NativeUpdate | null;
}

/** From here on TensorFlow takes seconds and more to prepare a graph: 12 for one of 30 000 ops, on two cores. */
const manyOps = 10_000;

export class NativeRecorder implements Recorder {
  tell?: (line: string) => void;
  readonly #tf: Tf;
  readonly #backend: NativeBackend;
  #extras: Extras = { assignments: [], update: null };

  constructor(tf: Tf) {
    this.#tf = tf;
    this.#backend = tf.backend() as unknown as NativeBackend;
  }

  async record<Result>(work: () => Result): Promise<Recording<Result>> {
    const tape = new Tape();
    const extras: Extras = { assignments: [], update: null };
    this.#extras = extras;
    const result = tape.run(this.#backend, work);
    const { length } = tape.recorded;
    if (length > manyOps) {
      this.tell?.(
        `one graph of ${length.toLocaleString("en-US")} TensorFlow ops, as states that run token by token are unrolled: ` +
          "its first run takes long, and --backend wasm starts sooner",
      );
      delete this.tell; // once is enough
    }
    return new NativeRecording(this.#backend, tape, extras, result);
  }

  overwrite(tensor: Tensor, values: Float32Array | Int32Array): void {
    replaceContent(this.#backend, tensor, { values });
  }

  assign(pairs: readonly (readonly [target: Tensor, source: Tensor])[]): void {
    for (const [{ dataId }, source] of pairs)
      this.#extras.assignments.push({
        target: { dataId },
        source: this.#backend.getInputTensorIds([source])[0]!,
      });
  }

  prepareUpdate(parameters: readonly ParameterSpec[], optimizer: OptimizerSettings): NativeUpdate {
    return new NativeUpdate(this.#tf, parameters, optimizer, (update) => {
      this.#extras.update = update;
    });
  }
}

class NativeRecording<Result> implements Recording<Result> {
  readonly result: Result;
  readonly #backend: NativeBackend;
  readonly #session: Session;
  readonly #update: NativeUpdate | null;
  readonly #inputs: readonly { readonly name: Input; readonly data: Data }[];
  /** Whose content each output becomes. */
  readonly #outputs: readonly { readonly name: Input; readonly target: Data }[];
  #stopped = false;

  constructor(backend: NativeBackend, tape: Tape, extras: Extras, result: Result) {
    this.#backend = backend;
    this.result = result;
    const { update, assignments } = extras;
    this.#update = update;
    const graph = new GraphDef(backend.binding);
    update?.variables!.write(graph);
    const given = update?.variables!.weightsById() ?? new Map<number, Input>();
    this.#inputs = tape.externals
      .filter(({ id }) => !given.has(id))
      .map(({ id, data, shape }, i) => {
        const { dtype } = backend.tensorMap.get(data.dataId);
        const name = graph.placeholder(`given${i}`, dtype, shape);
        given.set(id, name);
        return { name, data };
      });
    const names = tape.write(graph, given);
    update?.write(graph, names);
    const outputs = tensorsOf(result).map((tensor) => ({
      name: names.get(backend.getInputTensorIds([tensor])[0]!)!,
      target: tensor as Data,
    }));
    if (update) outputs.push({ name: "metrics:0", target: update.metrics });
    for (const { target, source } of assignments)
      outputs.push({ name: names.get(source)!, target });
    this.#outputs = outputs;
    this.#session = new Session(backend.binding, graph);
    if (!update) return;
    update.variables!.start(this.#session);
    update.readSquares = () => this.#squares();
  }

  run(): void {
    if (this.#stopped) return;
    const { binding } = this.#backend;
    const controls = this.#update?.feeds() ?? [];
    this.#update?.variables!.forget();
    const made = this.#session.run(
      new Map([...this.#feeds(), ...controls]),
      this.#outputs.map(({ name }) => name),
    );
    for (const [, id] of controls) binding.deleteTensor(id);
    made.forEach(({ id }, i) => {
      replaceContent(this.#backend, this.#outputs[i]!.target, { id });
    });
    if (this.#update) this.#stopped = this.#update.metrics.dataSync()[3] === 0;
  }

  free(): void {
    this.#update?.variables!.end();
    this.#session.free();
  }

  #feeds(): Map<Input, number> {
    const ids = this.#backend.getInputTensorIds(this.#inputs.map(({ data }) => data));
    return new Map(this.#inputs.map(({ name }, i) => [name, ids[i]!]));
  }

  #squares(): readonly number[] {
    const { binding } = this.#backend;
    const [squares] = this.#session.run(this.#feeds(), ["squares:0"]);
    const values = Array.from(binding.tensorDataSync(squares!.id));
    binding.deleteTensor(squares!.id);
    return values;
  }
}

/** The tensors that a result holds and that are still there. */
function tensorsOf(result: unknown): Tensor[] {
  if (typeof result !== "object" || result === null) return [];
  if ("dataId" in result) return (result as Tensor).isDisposed ? [] : [result as Tensor];
  return Object.values(result).flatMap(tensorsOf);
}
