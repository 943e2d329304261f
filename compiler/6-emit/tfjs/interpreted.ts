/**
 * Trainables and decoders whose programs are executed step by step: the same kernels in the same order as
 * emitted TypeScript, without emitting it. `lsm generate`, `lsm evaluate` and the tests use them.
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { KernelSet } from "../../../runtime/tfjs/kernel-set.js";
import type { Decoder, TensorMap, Trainable } from "../../../runtime/tfjs/train/trainable.js";
import type { CarriedState } from "../../3-derive/decode/recurrent-form.js";
import { gradientName } from "../../3-derive/differentiate.js";
import type { ModelParameter, Program } from "../../ir/program.js";
import { InternalFault } from "../../ir/types.js";
import { type Executed, Executor } from "./execute.js";
import { Letters } from "./letters.js";

/** What a trainable is made of: a part of `TrainingStages`, and what the programs were compiled for. */
export interface TrainablePrograms {
  readonly name: string;
  readonly vocabulary: number;
  readonly batch: number;
  readonly time: number;
  readonly parameters: readonly ModelParameter[];
  readonly gradients: Program;
  readonly evaluation: Program;
}

export function trainableFromPrograms(programs: TrainablePrograms): Trainable {
  const { name, vocabulary, batch, time, parameters } = programs;
  const letters = new Letters();
  const gradients = new Runner(programs.gradients, letters);
  const evaluation = new Runner(programs.evaluation, letters);
  const trained = parameters.filter(({ trainable }) => trainable).map(({ path }) => path);
  return {
    model: name,
    vocabulary,
    batch,
    time,
    parameters: parameters.map(({ type, ...rest }) => ({ ...rest, axes: type.axes })),
    gradients: (kernels, weights, inputs) => {
      const { outputs, updates, metrics } = gradients.run(kernels, weights, { ...inputs });
      const names = new Map(trained.map((path) => [gradientName(path), path]));
      const only = keep(outputs, ["loss", "objective", ...names.keys()]);
      return {
        loss: only.get("loss")!,
        objective: only.get("objective")!,
        gradients: Object.fromEntries(
          [...names].map(([output, path]) => [path, only.get(output)!]),
        ),
        updates: Object.fromEntries(updates),
        metrics: Object.fromEntries(metrics),
      };
    },
    evaluate: (kernels, weights, inputs) => {
      const { outputs } = evaluation.run(kernels, weights, { ...inputs });
      const only = keep(outputs, ["loss", "prediction"]);
      return { loss: only.get("loss")!, prediction: only.get("prediction")! };
    },
  };
}

export function decoderFromProgram(program: Program, carried: readonly CarriedState[]): Decoder {
  const runner = new Runner(program, new Letters());
  return {
    carried: carried.map(({ name, axes, initial }) => ({
      name,
      shape: axes.map(({ size }) => size),
      initial,
    })),
    decode: (kernels, weights, states, input) => {
      const given = Object.fromEntries(carried.map(({ name }, i) => [name, states[i]!]));
      const { outputs } = runner.run(kernels, weights, { ...input, ...given });
      const only = keep(outputs, ["prediction", ...carried.map(({ name }) => name)]);
      return {
        prediction: only.get("prediction")!,
        carried: carried.map(({ name }) => only.get(name)!),
      };
    },
  };
}

/** Executes a program with weights that are other tensors at every call. */
class Runner {
  private readonly weights = new Map<string, Tensor>();
  private kernels: KernelSet | null = null;
  private executor: Executor | null = null;

  constructor(
    private readonly program: Program,
    private readonly letters: Letters,
  ) {}

  run(kernels: KernelSet, weights: TensorMap, inputs: TensorMap): Executed {
    if (this.kernels !== kernels || this.executor === null) {
      this.kernels = kernels;
      this.executor = new Executor(this.program, kernels, this.letters, this.weights);
    }
    for (const [path, tensor] of Object.entries(weights)) this.weights.set(path, tensor);
    return this.executor.run(new Map(Object.entries(inputs)));
  }
}

/** The outputs of the given names; all others are freed. */
function keep(
  outputs: ReadonlyMap<string, Tensor>,
  names: readonly string[],
): ReadonlyMap<string, Tensor> {
  const wanted = new Set(names);
  for (const [name, tensor] of outputs) if (!wanted.has(name)) tensor.dispose();
  for (const name of names)
    if (!outputs.has(name)) throw new InternalFault(`the program gives no ${name}`);
  return outputs;
}
