/** Training in a worker, on WebGPU where there is one and WebAssembly elsewhere; it says how it goes. */

import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { BatchStream } from "../../../runtime/data/batches.js";
import { asOneDocument, buildCorpus } from "../../../runtime/data/corpus.js";
import type { Dataset } from "../../../runtime/data/dataset.js";
import { mqarRows } from "../../../runtime/data/mqar.js";
import { splitCorpus } from "../../../runtime/data/split.js";
import { measuringRows, trainingRows } from "../../../runtime/data/text-dataset.js";
import { bytesTokenizer } from "../../../runtime/data/tokenizer-bytes.js";
import { type Backend, chooseBackend } from "../../../runtime/tfjs/backend.js";
import { measure } from "../../../runtime/tfjs/train/measure.js";
import { type TrainState, freeState, freshState } from "../../../runtime/tfjs/train/state.js";
import { trainStep } from "../../../runtime/tfjs/train/step.js";
import type { Training } from "../../1-check/blocks/training.js";
import { check } from "../../1-check/check.js";
import type { Model } from "../../1-check/model.js";
import { compiledFor } from "../../cli/train/prepare.js";
import { settingsOf } from "../../cli/train/settings.js";
import { Writer } from "../../cli/writer.js";
import { pageHost, programPath } from "./page-host.js";
import { answer } from "./rpc.js";
import library from "lsm:library";

export interface Progress {
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  readonly tokensPerSecond: number;
  readonly heldOut: number | null;
}

const measuredBatches = 4;

/** The page reads this between two steps. */
let stopped = false;

interface Rows {
  readonly train: Dataset;
  readonly heldOut: Dataset | null;
}

async function rowsFor({ data, seed }: Training, text: string): Promise<Rows> {
  if (data.kind === "mqar") {
    const rows = data.heldOut ?? 512;
    return {
      train: mqarRows(data, data.seq, seed, { part: "train" }),
      heldOut: mqarRows(data, data.seq, seed, { part: "held-out", rows }),
    };
  }
  if (data.kind !== "text") throw new Error("the page trains on text and on recall");
  if (data.tokenizer !== "bytes") throw new Error("the page has no tokenizer but `bytes`");
  const documents = text.split(/\n{4,}/).map((part, i) => ({ name: `part ${i + 1}`, text: part }));
  const corpus = await buildCorpus(documents, bytesTokenizer);
  const split = splitCorpus(corpus, { seed, fraction: data.heldOut ?? 0.05 });
  const laid = (part: typeof corpus) => (data.pack ? part : asOneDocument(part));
  return {
    train: trainingRows(laid(split.train), data.seq, seed),
    heldOut: split.heldOut && measuringRows(laid(split.heldOut), data.seq),
  };
}

async function train(program: string, name: string, text: string, wasm: string): Promise<void> {
  stopped = false;
  const { models, trainings } = check(pageHost(library, program), programPath);
  const training = trainings.get(name);
  const model = training && models.get(training.model);
  if (!training || !model) throw new Error("the program has mistakes");
  setWasmPaths(wasm);
  const backend = await chooseBackend();
  say("backend", backend.why);
  const { trainable } = compiledFor(model, training);
  const settings = settingsOf(training, { steps: null, seed: null });
  const rows = await rowsFor(training, text);
  const batches = new BatchStream(rows.train, training.batch);
  const state = freshState(backend.tf, trainable.parameters, settings.seed);
  const every = settings.evaluateEvery ?? Math.max(1, Math.round(settings.steps / 10));
  try {
    let made = 0;
    for (let step = 0; step < settings.steps && !stopped; step++) {
      const began = performance.now();
      const batch = batches.next();
      const { loss } = await trainStep(backend, trainable, settings, state, batch, step);
      const seconds = (performance.now() - began) / 1000;
      made = step + 1;
      const measures = rows.heldOut && (made % every === 0 || made === settings.steps);
      const options = { batches: measuredBatches, accuracy: false };
      const heldOut = measures
        ? (await measure(backend, trainable, state.weights, rows.heldOut, options)).loss
        : null;
      const tokensPerSecond = (training.batch * training.time) / seconds;
      say("progress", { step: made, steps: settings.steps, loss, tokensPerSecond, heldOut });
      if (measures && data(training)) await write(model, training, backend, state, made);
      await new Promise((next) => setTimeout(next)); // lets `stop` in
    }
    if (stopped && data(training)) await write(model, training, backend, state, made);
  } finally {
    freeState(state);
  }
}

const data = ({ data: { kind } }: Training): boolean => kind === "text";

async function write(
  model: Model,
  training: Training,
  backend: Backend,
  { weights }: TrainState,
  step: number,
): Promise<void> {
  const { prompt, length, temperature } = training.sample ?? {
    prompt: "The ",
    length: 160,
    temperature: 0.8,
  };
  const writer = new Writer(model, bytesTokenizer, backend, weights);
  let text = "";
  const request = { prompt, tokens: length, temperature, seed: training.seed };
  for await (const part of writer.write(request)) text += part;
  say("sample", { step, text });
}

function say(event: string, value: unknown): void {
  postMessage({ event, value });
}

const functions = {
  train,
  stop: (): void => void (stopped = true),
};
export type TrainerFunctions = typeof functions;

answer(functions);
