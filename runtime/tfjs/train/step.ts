/** One training step: gradients, their norm, and the update; or the reason why there can be none. */

import type { Batch } from "../../data/batches.js";
import { RunError } from "../../run/errors.js";
import { learningRate } from "../../run/schedule.js";
import type { Backend } from "../backend.js";
import type { Recorder } from "../recorder.js";
import { batchGradients } from "./gradients.js";
import { type NotFinite, firstNotFinite, placeOf } from "./not-finite.js";
import type { Metrics } from "./metrics.js";
import { applyUpdate, readBack } from "./optimise.js";
import { RecordedStep } from "./recorded-step.js";
import type { TrainSettings } from "./settings.js";
import { type TrainState, freeTensors } from "./state.js";
import type { Trainable } from "./trainable.js";

export interface StepResult {
  readonly loss: number;
  /** The gradients' global norm before clipping. */
  readonly gradientNorm: number;
  readonly rate: number;
  readonly metrics: Metrics;
}

type StepSettings = Pick<TrainSettings, "optimizer" | "schedule" | "steps" | "clip">;

/**
 * Makes update number `step` (from 0) on `state`, which stays as it was when this throws.
 *
 * @throws RunError `training-diverged`
 */
export async function trainStep(
  backend: Backend,
  trainable: Trainable,
  settings: StepSettings,
  state: TrainState,
  batch: Batch,
  step: number,
): Promise<StepResult> {
  if (backend.recorder)
    return recordedStep(backend, backend.recorder, trainable, settings, state, batch, step);
  const { kernels } = backend;
  const made = batchGradients(backend, trainable, state.weights, batch);
  const { loss, objective, gradients, updates } = made;
  const read = await readBack(kernels, [loss, objective], gradients, made.metrics ?? {});
  const { scalars, squares, metrics } = read;
  freeTensors(made.metrics ?? {});
  loss.dispose();
  objective.dispose();
  const [lossValue, objectiveValue] = scalars as [number, number];
  const gradientNorm = Math.sqrt([...squares.values()].reduce((sum, one) => sum + one, 0));
  if (![lossValue, objectiveValue, gradientNorm].every(Number.isFinite)) {
    freeTensors(gradients);
    freeTensors(updates);
    const place = await firstNotFinite(backend, trainable, state.weights, batch);
    throw diverged(step + 1, lossValue, objectiveValue, squares, place);
  }
  const { optimizer, schedule, steps, clip } = settings;
  const rate = learningRate(schedule, optimizer.lr, step, steps);
  const scale = clip !== null && gradientNorm > clip ? clip / gradientNorm : 1;
  const update = { rate, step: step + 1, scale };
  applyUpdate(kernels, state, trainable.parameters, optimizer, update, gradients, updates);
  return { loss: lossValue, gradientNorm, rate, metrics };
}

/** The same by a recording, which is made with the first step and kept with the state. */
async function recordedStep(
  backend: Backend,
  recorder: Recorder,
  trainable: Trainable,
  { optimizer, schedule, steps, clip }: StepSettings,
  state: TrainState,
  batch: Batch,
  step: number,
): Promise<StepResult> {
  const recorded = (state.recorded ??= await RecordedStep.of(
    backend,
    recorder,
    trainable,
    optimizer,
    clip,
    state,
    batch,
  ));
  const rate = learningRate(schedule, optimizer.lr, step, steps);
  const outcome = await recorded.run(batch, rate, step + 1);
  const { loss, objective, gradientNorm, finite, metrics } = outcome;
  if (!finite) {
    const squares = await recorded.squares();
    const place = await firstNotFinite(backend, trainable, state.weights, batch);
    throw diverged(step + 1, loss, objective, squares, place);
  }
  return { loss, gradientNorm, rate, metrics };
}

function diverged(
  step: number,
  loss: number,
  objective: number,
  squares: ReadonlyMap<string, number>,
  place: NotFinite | null,
): RunError {
  const offender = [...squares].find(([, sum]) => !Number.isFinite(sum));
  const what = !Number.isFinite(loss)
    ? `the loss is ${loss}`
    : !Number.isFinite(objective)
      ? `a router's loss is ${objective}, though the model's loss is ${loss}`
      : "the gradients are no longer finite";
  const first = place
    ? `; the first number that is not finite came up ${placeOf(place)}`
    : offender
      ? `; the first gradient that is not finite is of \`${offender[0]}\``
      : "";
  return new RunError({
    code: "training-diverged",
    what: `at step ${step} ${what}${first}`,
    where: `step ${step}`,
    help: "lower `lr`, warm up for longer, or clip the gradients (`clip 1.0`); checkpoints written before are untouched",
  });
}
