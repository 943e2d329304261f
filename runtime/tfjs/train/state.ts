/** What training changes: the weights, and for every trained one both moments of AdamW, or the momentum of Muon. */

import { float32, toFloat32, type Tensor as Stored } from "../../checkpoint/dtypes.js";
import type { Checkpoint } from "../../checkpoint/checkpoint.js";
import { RunError } from "../../run/errors.js";
import type { Tensor } from "@tensorflow/tfjs";
import type { Tf } from "../generic/context.js";
import { initialValues } from "./initialise.js";
import type { RecordedStep } from "./recorded-step.js";
import { type OptimizerSettings, muonFor } from "./settings.js";
import type { ParameterSpec, TensorMap } from "./trainable.js";

/** The tensors are the state's own; a step replaces them one by one, or, recorded, their contents. */
export interface TrainState {
  readonly weights: Record<string, Tensor>;
  readonly m: Record<string, Tensor>;
  readonly v: Record<string, Tensor>;
  readonly momentum: Record<string, Tensor>;
  /** The step that was recorded on these tensors, if any. */
  recorded?: RecordedStep;
}

/** What the optimisers keep for parameters, as checkpoints call it. */
export const slots = ["m", "v", "momentum"] as const;
type Slot = (typeof slots)[number];

const slotsOf = (
  parameter: ParameterSpec,
  optimizer: OptimizerSettings | null,
): readonly Slot[] => {
  if (!parameter.trainable) return [];
  return optimizer && muonFor(optimizer, parameter) ? ["momentum"] : ["m", "v"];
};

/** `optimizer`: null for AdamW of any settings. */
export function freshState(
  tf: Tf,
  parameters: readonly ParameterSpec[],
  seed: number,
  optimizer: OptimizerSettings | null = null,
): TrainState {
  const state: TrainState = { weights: {}, m: {}, v: {}, momentum: {} };
  for (const parameter of parameters) {
    const { path } = parameter;
    const shape = shapeOf(parameter);
    state.weights[path] = tf.tensor(initialValues(parameter, seed), shape, "float32");
    for (const slot of slotsOf(parameter, optimizer)) state[slot][path] = tf.zeros(shape);
  }
  return state;
}

/**
 * Without any moments, as an imported model is, they start at 0.
 *
 * @throws RunError `checkpoint-mismatch` when the checkpoint is another model's
 */
export function stateFrom(
  tf: Tf,
  parameters: readonly ParameterSpec[],
  checkpoint: Checkpoint,
  where: string,
  optimizer: OptimizerSettings | null = null,
): TrainState {
  const weights = loadWeights(tf, parameters, checkpoint.weights, where);
  const state: TrainState = { weights, m: {}, v: {}, momentum: {} };
  for (const parameter of parameters)
    for (const slot of slotsOf(parameter, optimizer)) {
      const saved = checkpoint.optimizer.get(slot);
      state[slot][parameter.path] =
        checkpoint.optimizer.size === 0
          ? tf.zeros(shapeOf(parameter))
          : load(tf, parameter, saved, where, slot);
    }
  return state;
}

/** A model's weights out of a checkpoint. @throws RunError `checkpoint-mismatch` */
export function loadWeights(
  tf: Tf,
  parameters: readonly ParameterSpec[],
  weights: Checkpoint["weights"],
  where: string,
): Record<string, Tensor> {
  const known = new Set(parameters.map(({ path }) => path));
  const stranger = [...weights.keys()].find((path) => !known.has(path));
  if (stranger !== undefined)
    throw mismatch(where, `it has \`${stranger}\`, and the model has not`);
  return Object.fromEntries(
    parameters.map((parameter) => [parameter.path, load(tf, parameter, weights, where)]),
  );
}

/** Everything read back, as a checkpoint keeps it. */
export async function storeState(
  state: TrainState,
): Promise<Pick<Checkpoint, "weights" | "optimizer">> {
  const optimizer = new Map<string, Map<string, Stored>>();
  for (const slot of slots) {
    const stored = await store(state[slot]);
    if (stored.size > 0) optimizer.set(slot, stored);
  }
  return { weights: await store(state.weights), optimizer };
}

export function freeState(state: TrainState): void {
  state.recorded?.free();
  freeTensors(state.weights);
  for (const slot of slots) freeTensors(state[slot]);
}

export function freeTensors(tensors: TensorMap): void {
  for (const tensor of Object.values(tensors)) tensor.dispose();
}

async function store(tensors: TensorMap): Promise<Map<string, Stored>> {
  const stored = new Map<string, Stored>();
  for (const [path, tensor] of Object.entries(tensors)) {
    const values = Float32Array.from(await tensor.data<"float32">());
    stored.set(path, float32(tensor.shape, values));
  }
  return stored;
}

function load(
  tf: Tf,
  parameter: ParameterSpec,
  from: Checkpoint["weights"] | undefined,
  where: string,
  slot: Slot | null = null,
): Tensor {
  const { path } = parameter;
  const stored = from?.get(path);
  const shape = shapeOf(parameter);
  if (!stored) throw mismatch(where, `it lacks \`${slot ? `optimizer/${slot}/` : ""}${path}\``);
  if (stored.shape.join() !== shape.join())
    throw mismatch(where, `\`${path}\` is [${stored.shape}] there and [${shape}] in the model`);
  return tf.tensor(toFloat32(stored), shape, "float32");
}

const shapeOf = ({ axes }: ParameterSpec): number[] => axes.map(({ size }) => size);

function mismatch(where: string, what: string): RunError {
  return new RunError({
    code: "checkpoint-mismatch",
    what: `the checkpoint is not of this model: ${what}`,
    where,
    help: "go on with the program it was made with, or start a new run with another --out",
  });
}
