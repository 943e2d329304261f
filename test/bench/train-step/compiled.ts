/** Peer: the compiled model, a whole step of the training loop. Arguments: the case's folder, a backend. */

import { compileTraining } from "../../../compiler/compile.js";
import { trainableFromPrograms } from "../../../compiler/6-emit/tfjs/interpreted.js";
import type { BackendName } from "../../../runtime/tfjs/backend.js";
import { chooseBackend } from "../../../runtime/tfjs/index.js";
import { freshState } from "../../../runtime/tfjs/train/state.js";
import { trainStep } from "../../../runtime/tfjs/train/step.js";
import { modelOf } from "../../support/models/instance.js";
import { clip, optimizer, sourceOf, vocabulary } from "./cases.js";
import { serve } from "./serve.js";
import { readCase } from "./weights.js";

const [folder, backendName] = process.argv.slice(2) as [string, BackendName];
const { bench, tokens, targets } = readCase(folder);
const { batch, time } = bench;
const backend = await chooseBackend(backendName);
const stages = compileTraining(modelOf(sourceOf(bench)), { batch, time });
const trainable = trainableFromPrograms({ ...stages, name: "M", vocabulary, batch, time });
const state = freshState(backend.tf, trainable.parameters, 1); // the values of weights.bin
const documents = Int32Array.from(tokens, (_, i) => Math.floor(i / time));
const ids = { tokens, targets, weights: null, documents };
const data = { kind: "tokens", rows: batch, seq: time, ...ids, position: 0 } as const;
const settings = {
  optimizer,
  schedule: { kind: "constant" },
  steps: 1000,
  clip,
} as const;
let count = 0;
await serve(async () => {
  const { loss } = await trainStep(backend, trainable, settings, state, data, count++);
  return loss;
});
