/**
 * The compiler, phase by phase: the table of contents.
 *
 *   1-check     text → models            every mistake, or checked token graphs with all sizes known
 *   2-lower     models → graphs          batch and time, recurrences as scans, routes as sorted slots
 *   3-derive    graphs → graphs          forms of the recurrences, gradients, the recurrent form
 *   4-place     graphs → placements      shards, collectives and memory of a mesh's devices (plan.ts)
 *   5-schedule  graphs → programs        fused kernels in order, buffers and their lifetimes
 *   6-emit      programs → files         one folder per target
 */

import type { Model } from "./1-check/model.js";
import { type Sizes, lower } from "./2-lower/lower.js";
import { type CarriedState, recurrentForm } from "./3-derive/decode/recurrent-form.js";
import { differentiate } from "./3-derive/differentiate.js";
import { type FormOptions, chooseForms } from "./3-derive/forms/forms.js";
import type { RecurrenceReport } from "./3-derive/forms/report.js";
import { type OptimizerOptions, adamwDefaults, withOptimizer } from "./5-schedule/optimizer.js";
import { withoutMetrics } from "./3-derive/without-metrics.js";
import { withoutPrediction } from "./3-derive/without-prediction.js";
import { schedule } from "./5-schedule/schedule.js";
import type { Module } from "./ir/graph.js";
import { sound, soundProgram } from "./ir/debug.js";
import { type ModelParameter, type Program, modelParameters } from "./ir/program.js";

export { check, type Checked } from "./1-check/check.js";

/** Every stage of a model's training program, for who wants to look (`lsm trace`). */
export interface TrainingStages {
  readonly token: Module; // after 1-check
  readonly lowered: Module; // after 2-lower
  readonly formed: Module; // after the choice of forms
  readonly differentiated: Module; // after gradients
  readonly recurrences: readonly RecurrenceReport[];
  readonly parameters: readonly ModelParameter[];
  /** main: tokens, targets, weights, positions → loss, objective, prediction, grad.<path> …; updates. */
  readonly gradients: Program;
  /** The same with clipping and AdamW at its end: one whole training step. */
  readonly step: Program;
  /** main: the same inputs → prediction, loss, objective. */
  readonly evaluation: Program;
}

const natural: FormOptions = { prefer: "chunk", chunk: null };

/** Compiles a model's training step and its evaluation for batches of the given sizes. */
export function compileTraining(
  model: Model,
  sizes: Sizes,
  forms: FormOptions = natural,
  optimizer: OptimizerOptions = adamwDefaults,
): TrainingStages {
  const lowered = sound(
    lower(sound(model.module, "token"), { ...sizes, metrics: true }),
    "lowered",
  );
  const packed = forms.packed ?? sizes.packed ?? true;
  const { module, reports } = chooseForms(lowered, { ...forms, packed });
  const formed = sound(module, "formed");
  const differentiated = sound(differentiate(formed), "differentiated");
  const parameters = modelParameters(lowered.functions, lowered.main);
  const gradients = soundProgram(schedule(withoutPrediction(differentiated)));
  return {
    token: model.module,
    lowered,
    formed,
    differentiated,
    recurrences: reports,
    parameters,
    gradients,
    step: soundProgram(withOptimizer(gradients, parameters, optimizer)),
    evaluation: soundProgram(schedule(withoutUpdates(withoutMetrics(formed)))),
  };
}

/** Evaluation leaves the routers' buffers as they are. */
function withoutUpdates({ functions, main: name }: Module): Module {
  const main = { ...functions.get(name)!, updates: [] };
  return { main: name, functions: new Map([...functions, [name, main]]) };
}

/** The recurrent form of a model: one token a call. */
export interface DecodingProgram {
  /** main: tokens, positions and one input for each carried state → prediction and the new states. */
  readonly program: Program;
  readonly carried: readonly CarriedState[];
}

/** Compiles generation of one sequence of up to `capacity` tokens (which only full attention must know). */
export function compileDecoding(model: Model, capacity: number): DecodingProgram {
  const { module, carried } = recurrentForm(lower(model.module, { batch: 1, time: 1 }), capacity);
  return { program: soundProgram(schedule(sound(module, "formed"))), carried };
}
