/** Emitted trainers against the executor of the same programs: the same bits, and no tensor left behind. */

import { rmSync } from "node:fs";
import { dirname } from "node:path";
import type { Tensor } from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { trainableFromPrograms } from "../compiler/6-emit/tfjs/interpreted.js";
import { RandomStream } from "../runtime/random/stream.js";
import type { Tensor as Values } from "../runtime/interpret/tensor.js";
import { type Backend, chooseBackend } from "../runtime/tfjs/backend.js";
import type { TensorMap, Trainable } from "../runtime/tfjs/train/trainable.js";
import { unusual } from "./support/emitted/unusual.js";
import { bundledRuntime, emitted, load } from "./support/emitted/emit.js";
import { typeErrors } from "./support/emitted/type-check.js";
import { modelOf, randomBatch, randomParameters } from "./support/models/instance.js";
import { layerCases } from "./support/models/layers.js";

const sizes = { batch: 2, time: 5 };
let runtime: string;
const texts = new Map<string, string>(); // by names for files

beforeAll(async () => {
  runtime = await bundledRuntime();
});
afterAll(() => rmSync(dirname(runtime), { recursive: true }));

/** All results of a step and an evaluation as bits; whatever they took is free again. */
function results(
  trainable: Trainable,
  { tf, kernels }: Backend,
  weights: TensorMap,
  batch: TensorMap,
) {
  const before = tf.memory().numTensors;
  const given = batch as unknown as Parameters<Trainable["gradients"]>[2];
  const step = trainable.gradients(kernels, weights, given);
  const evaluation = trainable.evaluate(kernels, weights, given);
  const own: Record<string, Tensor> = {
    loss: step.loss,
    objective: step.objective,
    "evaluated loss": evaluation.loss,
    prediction: evaluation.prediction,
  };
  for (const [path, x] of Object.entries(step.gradients)) own[`gradient of ${path}`] = x;
  for (const [path, x] of Object.entries(step.updates)) own[`new ${path}`] = x;
  for (const [path, x] of Object.entries(step.metrics ?? {})) own[`measured ${path}`] = x;
  const values = Object.fromEntries(
    Object.entries(own).map(([name, x]) => [name, { shape: x.shape, data: [...x.dataSync()] }]),
  );
  tf.dispose(Object.values(own));
  return { values, left: tf.memory().numTensors - before };
}

describe("emitted code computes what the executor computes", () => {
  it.each([...layerCases, ...unusual])("%s", async (label, source) => {
    const model = modelOf(source);
    const { text, stages } = await emitted(model, source, sizes);
    texts.set(`trainer-${texts.size}`, text);
    const trainable = await load(text, runtime);
    const { name, vocabulary } = model;
    const programs = { name, vocabulary: vocabulary!, ...sizes, ...stages };
    const executed = trainableFromPrograms(programs);
    expect(plain(trainable)).toEqual(plain(executed));

    for (const backendName of ["cpu", "wasm"] as const) {
      const backend = await chooseBackend(backendName);
      const random = new RandomStream(3, label);
      const weights = upload(backend, randomParameters(model, random));
      const { inputs } = randomBatch(vocabulary!, sizes.batch, sizes.time, random);
      const batch = upload(backend, inputs);
      const made = results(trainable, backend, weights, batch);
      const expected = results(executed, backend, weights, batch);
      backend.tf.dispose([...Object.values(weights), ...Object.values(batch)]);
      expect(made.values).toEqual(expected.values);
      expect([made.left, expected.left]).toEqual([0, 0]);
    }
  });
});

it("all of it passes the strictest type check", () => {
  expect(texts.size).toBeGreaterThan(layerCases.length);
  expect(typeErrors(texts)).toEqual([]);
}, 120_000);

const ids = ["tokens", "targets"];

function upload({ tf }: Backend, values: ReadonlyMap<string, Values>): TensorMap {
  const tensor = (name: string, { axes, data }: Values) => {
    const shape = axes.map(({ size }) => size);
    return ids.includes(name)
      ? tf.tensor(Int32Array.from(data), shape, "int32")
      : tf.tensor(Float32Array.from(data), shape);
  };
  return Object.fromEntries([...values].map(([name, x]) => [name, tensor(name, x)]));
}

/** A trainable without its functions. */
const plain = ({ model, vocabulary, batch, time, parameters }: Trainable) => ({
  model,
  vocabulary,
  batch,
  time,
  parameters: parameters.map(({ path, axes, initializer, trainable, decay }) => ({
    path,
    axes: axes.map(({ name, size }) => ({ name, size })),
    initializer,
    trainable,
    decay,
  })),
});
