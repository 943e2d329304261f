/**
 * The end of a recorded training step, in TensorFlow's graph: the gradients' global norm, clipping, AdamW or Muon on variables, and
 * nothing of it when anything is not finite.
 *
 * The factors that AdamW needs come through a `Switch`: its output is dead when something is not finite, and so is every op
 * that needs it. TensorFlow's Adam is p ← p − α m / (√v + ε̂), so the bias corrections go into both scalars:
 * α = rate · √(1 − β₂ᵗ) / (1 − β₁ᵗ) and ε̂ = ε · √(1 − β₂ᵗ).
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { Tf } from "../../generic/context.js";
import type { UpdateHandle } from "../../recorder.js";
import { type OptimizerSettings, muonFor } from "../../train/settings.js";
import type { TrainState } from "../../train/state.js";
import type { GradientResult, ParameterSpec } from "../../train/trainable.js";
import type { Binding, NativeBackend, OpAttribute } from "./binding.js";
import type { GraphDef, Input } from "./graph-def.js";
import { writeMuon } from "./muon.js";
import { Variables } from "./variables.js";

/** Scalars that every run feeds: α, ε̂, 1 − rate · decay, and the rate. */
const controls = ["alpha", "epsilon", "shrink", "rate"] as const;
type Control = (typeof controls)[number];

/** Ids of the tensors of a step's result, while they are there. */
interface Ends {
  readonly loss: number;
  readonly objective: number;
  readonly gradients: ReadonlyMap<string, number>;
  readonly updates: ReadonlyMap<string, number>;
}

export class NativeUpdate implements UpdateHandle {
  readonly metrics: Tensor;
  variables: Variables | null = null;
  readonly #tf: Tf;
  readonly #backend: NativeBackend;
  readonly #parameters: readonly ParameterSpec[];
  readonly #optimizer: OptimizerSettings;
  readonly #noteUpdate: (update: NativeUpdate) => void;
  readonly #controls: Record<Control, number> = {
    alpha: 0,
    epsilon: 0,
    shrink: 1,
    rate: 0,
  };
  #ends: Ends | null = null;
  #clip: number | null = null;
  /** Fetches Σ g² of every gradient, in the latest run. */
  readSquares: (() => readonly number[]) | null = null;

  constructor(
    tf: Tf,
    parameters: readonly ParameterSpec[],
    optimizer: OptimizerSettings,
    noteUpdate: (update: NativeUpdate) => void,
  ) {
    this.#tf = tf;
    this.#backend = tf.backend() as unknown as NativeBackend;
    this.#parameters = parameters;
    this.#optimizer = optimizer;
    this.#noteUpdate = noteUpdate;
    this.metrics = tf.zeros([4]);
  }

  record(state: TrainState, result: GradientResult, clip: number | null): void {
    const id = (tensor: Tensor): number => this.#backend.getInputTensorIds([tensor])[0]!;
    const ids = (tensors: GradientResult["gradients"]): ReadonlyMap<string, number> =>
      new Map(Object.entries(tensors).map(([path, tensor]) => [path, id(tensor)]));
    this.#clip = clip;
    this.#ends = {
      loss: id(result.loss),
      objective: id(result.objective),
      gradients: ids(result.gradients),
      updates: ids(result.updates),
    };
    this.variables = new Variables(this.#tf, state);
    this.#noteUpdate(this);
  }

  set(rate: number, step: number): void {
    const {
      betas: [beta1, beta2],
      epsilon,
      decay,
    } = this.#optimizer;
    const root = Math.sqrt(1 - beta2 ** step);
    this.#controls.alpha = (rate * root) / (1 - beta1 ** step);
    this.#controls.epsilon = epsilon * root;
    this.#controls.shrink = 1 - rate * decay;
    this.#controls.rate = rate;
  }

  async squares(): Promise<ReadonlyMap<string, number>> {
    const values = this.readSquares!();
    return new Map([...this.#ends!.gradients.keys()].map((path, i) => [path, values[i]!]));
  }

  free(): void {
    this.metrics.dispose();
  }

  /** Feeds of the controls: ids that the caller deletes. */
  feeds(): Map<Input, number> {
    const { binding } = this.#backend;
    return new Map(
      controls.map((name) => [
        `${name}:0`,
        binding.createTensor([], binding.TF_FLOAT, Float32Array.of(this.#controls[name])),
      ]),
    );
  }

  /** Writes the nodes; `names` are of all tensors recorded. "metrics:0" is there once all is updated. */
  write(graph: GraphDef, names: ReadonlyMap<number, Input>): void {
    new UpdateWriter(graph, this.#backend.binding, this.variables!).write(
      this.#parameters,
      this.#optimizer,
      this.#clip,
      this.#ends!,
      names,
    );
  }
}

class UpdateWriter {
  readonly #float: OpAttribute;

  constructor(
    private readonly graph: GraphDef,
    private readonly types: Binding,
    private readonly variables: Variables,
  ) {
    this.#float = graph.type("T", types.TF_FLOAT);
  }

  write(
    parameters: readonly ParameterSpec[],
    optimizer: OptimizerSettings,
    clip: number | null,
    ends: Ends,
    names: ReadonlyMap<number, Input>,
  ): void {
    const { graph, types } = this;
    const [loss, objective] = [names.get(ends.loss)!, names.get(ends.objective)!];
    const gradients = new Map([...ends.gradients].map(([path, id]) => [path, names.get(id)!]));
    const norm = this.#norm([...gradients.values()]);
    const finite = this.#finite([loss, objective, norm]);
    /** The value where all is finite, else nothing. */
    const gated = (name: string, value: Input, type = types.TF_FLOAT): Input => {
      graph.add(name, "Switch", [value, finite], [graph.type("T", type)]);
      return `${name}:1`;
    };
    const [alpha, epsilon, shrink, rate] = controls.map((name) =>
      gated(`${name}.if`, graph.placeholder(name, types.TF_FLOAT, [])),
    ) as [Input, Input, Input, Input];
    const scale = clip === null ? null : gated("scale.if", this.#scale(norm, clip));
    const good = gated("good", finite, types.TF_BOOL);
    graph.add("go", "Identity", [good], [graph.type("T", types.TF_BOOL)]);

    const done: Input[] = [];
    parameters.forEach((parameter, i) => {
      const { path, trainable, decay } = parameter;
      const name = `update${i}`;
      const weight = this.variables.of("weights", path);
      const dtype = graph.type("dtype", types.TF_FLOAT);
      if (!trainable) {
        const id = ends.updates.get(path);
        if (id === undefined) return;
        graph.add(name, "AssignVariableOp", [weight.handle, names.get(id)!, "^go"], [dtype]);
        done.push(`^${name}`);
        return;
      }
      const gradient = gradients.get(path)!;
      const clipped = scale ? this.#binary(`${name}.clipped`, "Mul", gradient, scale) : gradient;
      const byMuon = muonFor(optimizer, parameter);
      if (byMuon) {
        const moment = this.variables.of("momentum", path);
        const given = { gradient: clipped, rate, when: "^go" };
        done.push(...writeMuon(graph, types, name, byMuon, { weight, moment }, given));
        return;
      }
      const after: Input[] = [];
      if (decay && optimizer.decay !== 0) {
        const less = this.#binary(`${name}.shrunk`, "Mul", weight.value, shrink);
        graph.add(`${name}.decay`, "AssignVariableOp", [weight.handle, less], [dtype]);
        after.push(`^${name}.decay`);
      }
      const [m, v] = [this.variables.of("m", path), this.variables.of("v", path)];
      const [beta1, beta2] = optimizer.betas.map((beta) => this.#scalar(beta)) as [Input, Input];
      const zero = this.#scalar(0);
      const handles = [weight.handle, m.handle, v.handle];
      const scalars = [zero, zero, alpha, beta1, beta2, epsilon];
      const inputs = [...handles, ...scalars, clipped, ...after];
      graph.add(name, "ResourceApplyAdam", inputs, [this.#float]);
      done.push(`^${name}`);
    });
    const bool = graph.type("T", types.TF_BOOL);
    graph.add("updated", "Identity", [good, ...done], [bool]);
    graph.add("ended", "Merge", ["updated:0", "good:0"], [bool, this.#count(2)]);
    graph.add(
      "finite.number",
      "Cast",
      [finite],
      [graph.type("SrcT", types.TF_BOOL), graph.type("DstT", types.TF_FLOAT)],
    );
    const four = this.#pack("four", [loss, objective, norm, "finite.number:0"]);
    graph.add("metrics", "Identity", [four, "^ended"], [this.#float]);
  }

  /** ‖g‖ over all gradients; "squares:0" is [gradients]: Σ g² of each. */
  #norm(gradients: readonly Input[]): Input {
    const { graph } = this;
    const halves = gradients.map((gradient, i) =>
      graph.add(`square${i}`, "L2Loss", [gradient], [this.#float]),
    );
    const all = this.#pack("halves", halves);
    const squares = this.#binary("squares", "Mul", all, this.#scalar(2));
    const axis = graph.constant("axis", { shape: [1], dtype: this.types.TF_INT32, values: [0] });
    const sum = graph.add(
      "square.sum",
      "Sum",
      [squares, axis],
      [this.#float, graph.type("Tidx", this.types.TF_INT32)],
    );
    return graph.add("norm", "Sqrt", [sum], [this.#float]);
  }

  #finite(values: readonly Input[]): Input {
    return values
      .map((value, i) => this.graph.add(`finite${i}`, "IsFinite", [value], [this.#float]))
      .reduce((all, one, i) => this.graph.add(`finite.and${i}`, "LogicalAnd", [all, one]));
  }

  /** min(1, clip / ‖g‖) */
  #scale(norm: Input, clip: number): Input {
    const limit = this.#scalar(clip);
    const above = this.#binary("above", "Maximum", norm, limit);
    return this.#binary("scale", "RealDiv", limit, above);
  }

  #binary(name: string, op: string, a: Input, b: Input): Input {
    return this.graph.add(name, op, [a, b], [this.#float]);
  }

  #scalar(value: number): Input {
    const dtype = this.types.TF_FLOAT;
    return this.graph.constant(`scalar ${value}`.replace(/[^\w.]/g, "_"), {
      shape: [],
      dtype,
      values: [value],
    });
  }

  #pack(name: string, values: readonly Input[]): Input {
    return this.graph.add(name, "Pack", values, [this.#float, this.#count(values.length)]);
  }

  #count(value: number): OpAttribute {
    return { name: "N", type: this.types.TF_ATTR_INT, value };
  }
}
