/** Training in a worker, on WebGPU where there is a fast one and WebAssembly elsewhere; it says how it goes. */

import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { BatchStream } from "../../../runtime/data/batches.js";
import { RunError } from "../../../runtime/run/errors.js";
import { type Loads, loadsOf, showsLoads } from "../../../runtime/run/loads.js";
import { type Backend, type BackendName, chooseBackend } from "../../../runtime/tfjs/backend.js";
import { measure } from "../../../runtime/tfjs/train/measure.js";
import { freeState, freshState } from "../../../runtime/tfjs/train/state.js";
import { trainStep } from "../../../runtime/tfjs/train/step.js";
import type { Training } from "../../1-check/blocks/training.js";
import { check } from "../../1-check/check.js";
import type { Model } from "../../1-check/model.js";
import { trainableFor } from "../../cli/train/prepare.js";
import { settingsOf } from "../../cli/train/settings.js";
import { lessonOf } from "./lessons.js";
import { pageHost, programPath } from "./page-host.js";
import { answer } from "./rpc.js";
import library from "lsm:library";

export interface Request {
  readonly program: string;
  /** The name of its `train` block. */
  readonly training: string;
  /** What the training's data is read from. */
  readonly text: string;
  /** Null takes the fastest there is. */
  readonly backend: BackendName | null;
  /** Where tfjs's WebAssembly lies. */
  readonly wasm: string;
}

export interface Progress {
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  readonly tokensPerSecond: number;
  readonly heldOut: number | null;
  /** Of every expert, at steps that the picture shows; empty of a model without routes. */
  readonly loads: Loads;
}

const measuredBatches = 4;

/** The page sets this between two steps. */
let stopped = false;

async function train({ program, training: name, text, backend, wasm }: Request): Promise<void> {
  stopped = false;
  const { models, trainings } = check(pageHost(library, program), programPath);
  const training = trainings.get(name);
  const model = training && models.get(training.model);
  if (!training || !model) throw new Error("the program has mistakes");
  setWasmPaths(wasm);
  const chosen = await chooseBackend(backend ?? undefined);
  say("backend", chosen.why);
  try {
    await run(model, training, text, chosen);
  } catch (error) {
    // a mistake in the training is one on any backend; a driver that gives up is not
    if (chosen.name !== "webgpu" || error instanceof RunError) throw error;
    const other = await chooseBackend("wasm");
    say("restart", null);
    say("backend", `${other.why.replace(/:.*/, "")}: WebGPU failed (${firstLine(error)})`);
    await run(model, training, text, other);
  }
}

async function run(
  model: Model,
  training: Training,
  text: string,
  backend: Backend,
): Promise<void> {
  const trainable = trainableFor(model, training);
  const settings = settingsOf(training, { steps: null, seed: null });
  const { steps } = settings;
  const lesson = await lessonOf(training, text);
  const batches = new BatchStream(lesson.train, training.batch);
  const state = freshState(backend.tf, trainable.parameters, settings.seed, settings.optimizer);
  const every = settings.evaluateEvery ?? Math.max(1, Math.round(steps / 10));
  const show = async (step: number): Promise<void> => {
    if (lesson.show)
      say("shown", {
        step,
        ...(await lesson.show(model, { backend, trainable, weights: state.weights })),
      });
  };
  try {
    let made = 0;
    for (let step = 0; step < steps && !stopped; step++) {
      const began = performance.now();
      const batch = batches.next();
      const { loss, metrics } = await trainStep(backend, trainable, settings, state, batch, step);
      const seconds = (performance.now() - began) / 1000;
      made = step + 1;
      const measures = lesson.heldOut && (made % every === 0 || made === steps);
      const options = { batches: measuredBatches, accuracy: false };
      const heldOut = measures
        ? (await measure(backend, trainable, state.weights, lesson.heldOut, options)).loss
        : null;
      const tokensPerSecond = (training.batch * training.time) / seconds;
      const loads = showsLoads(made, steps) ? loadsOf(metrics) : {};
      const told = { step: made, steps, loss, tokensPerSecond, heldOut, loads };
      say("progress", told satisfies Progress);
      if (measures) await show(made);
      await new Promise((next) => setTimeout(next)); // lets `stop` in
    }
    if (stopped) await show(made);
  } finally {
    freeState(state);
  }
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split("\n", 1)[0]!;

function say(event: string, value: unknown): void {
  postMessage({ event, value });
}

const functions = {
  train,
  stop: (): void => void (stopped = true),
};
export type TrainerFunctions = typeof functions;

answer(functions);
