/** What training changes: the weights, and for every trained one both moments of AdamW. */

import { float32, toFloat32, type Tensor as Stored } from "../../checkpoint/dtypes.js";
import type { Checkpoint } from "../../checkpoint/checkpoint.js";
import { RunError } from "../../run/errors.js";
import type { Tensor } from "@tensorflow/tfjs";
import type { Tf } from "../generic/context.js";
import { initialValues } from "./initialise.js";
import type { RecordedStep } from "./recorded-step.js";
import type { ParameterSpec, TensorMap } from "./trainable.js";

/** The tensors are the state's own; a step replaces them one by one, or, recorded, their contents. */
export interface TrainState {
  readonly weights: Record<string, Tensor>;
  readonly m: Record<string, Tensor>;
  readonly v: Record<string, Tensor>;
  /** The step that was recorded on these tensors, if any. */
  recorded?: RecordedStep;
}

const slots = ["m", "v"] as const;

export function freshState(tf: Tf, parameters: readonly ParameterSpec[], seed: number): TrainState {
  const state: TrainState = { weights: {}, m: {}, v: {} };
  for (const parameter of parameters) {
    const { path, trainable } = parameter;
    const shape = shapeOf(parameter);
    state.weights[path] = tf.tensor(initialValues(parameter, seed), shape, "float32");
    if (trainable) for (const slot of slots) state[slot][path] = tf.zeros(shape);
  }
  return state;
}

/** @throws RunError `checkpoint-mismatch` when the checkpoint is another model's */
export function stateFrom(
  tf: Tf,
  parameters: readonly ParameterSpec[],
  { weights, optimizer }: Checkpoint,
  where: string,
): TrainState {
  const state: TrainState = { weights: loadWeights(tf, parameters, weights, where), m: {}, v: {} };
  for (const parameter of parameters)
    if (parameter.trainable)
      for (const slot of slots)
        state[slot][parameter.path] = load(tf, parameter, optimizer.get(slot), where);
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
  return {
    weights: await store(state.weights),
    optimizer: new Map([
      ["m", await store(state.m)],
      ["v", await store(state.v)],
    ]),
  };
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
): Tensor {
  const { path } = parameter;
  const stored = from?.get(path);
  const shape = shapeOf(parameter);
  if (!stored) throw mismatch(where, `it lacks \`${path}\``);
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
