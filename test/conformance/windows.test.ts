/**
 * Models that read windows of a series, in float64: every form against the definition, gradients against differences,
 * and what makes a forecast one: it follows the level and the scale of its window, and sees all of it and no more.
 */

import { describe, expect, it } from "vitest";
import { lower } from "../../compiler/2-lower/lower.js";
import { type Model, timeOf } from "../../compiler/1-check/model.js";
import { type FormOptions, chooseForms } from "../../compiler/3-derive/forms/forms.js";
import { differentiate } from "../../compiler/3-derive/differentiate.js";
import { interpret } from "../../runtime/interpret/interpret.js";
import type { Tensor } from "../../runtime/interpret/tensor.js";
import { RandomStream } from "../../runtime/random/stream.js";
import {
  type Batch,
  batchFor,
  modelOf,
  randomParameters,
  relativeError,
  worst,
} from "../support/models/instance.js";
import { windowCases } from "../support/models/windows.js";

const tolerance = 1e-9; // float64 throughout; forms differ in the order of sums only

type Parameters = Map<string, Tensor>;

const forward = (model: Model, { batch, time, inputs }: Batch, parameters: Parameters) =>
  interpret(lower(model.module, { batch, time }), "main", inputs, parameters).outputs;

function gradients(model: Model, batch: Batch, parameters: Parameters, forms: FormOptions) {
  const lowered = lower(model.module, batch);
  const module = differentiate(chooseForms(lowered, forms).module);
  return interpret(module, "main", batch.inputs, parameters).outputs;
}

describe.each(windowCases)("%s", (name, text) => {
  const model = modelOf(text);
  const random = new RandomStream(20261123, name);
  const parameters = randomParameters(model, random);
  const time = timeOf(model, 1);

  it("has one value and one gradient in all forms", () => {
    const batch = batchFor(model, 3, time, random);
    const definition = forward(model, batch, parameters);
    const recurrent = gradients(model, batch, parameters, { prefer: "recurrent", chunk: null });
    expect(worst(recurrent, definition).error).toBeLessThan(tolerance);
    for (const chunk of [null, 1, 4]) {
      const made = gradients(model, batch, parameters, { prefer: "chunk", chunk });
      expect(worst(made, recurrent).error, `chunk ${chunk}`).toBeLessThan(tolerance);
    }
  });

  it("has the gradient that differences show", () => {
    const batch = batchFor(model, 3, time, random);
    const found = gradients(model, batch, parameters, { prefer: "chunk", chunk: 4 });
    const objective = (): number => forward(model, batch, parameters).get("objective")!.data[0]!;
    let seen = 0;
    for (const [path, { data }] of parameters) {
      const gradient = found.get(`grad.${path}`);
      if (!gradient) continue;
      seen += 1;
      const i = random.integer(data.length);
      const [value, h] = [data[i]!, 1e-5];
      data[i] = value + h;
      const above = objective();
      data[i] = value - h;
      const below = objective();
      data[i] = value;
      const difference = (above - below) / (2 * h);
      const allowed = 1e-6 + 1e-5 * Math.abs(difference);
      expect(Math.abs(difference - gradient.data[i]!), path).toBeLessThan(allowed);
    }
    expect(seen).toBe(parameters.size);
  });

  it("forecasts every window by itself, from all of its values", () => {
    const batch = batchFor(model, 3, time, random);
    const before = forward(model, batch, parameters).get("prediction")!.data.slice();
    const { data } = batch.inputs.get("series")!;
    const [row, size] = [data.length / 3, before.length / 3];
    for (const place of [0, row >> 1, row - 1]) {
      const changed = row + place; // of the second window
      data[changed]! += 0.5;
      const after = forward(model, batch, parameters).get("prediction")!.data;
      data[changed]! -= 0.5;
      const part = (values: Float64Array, i: number) => values.slice(i * size, (i + 1) * size);
      for (const i of [0, 2])
        expect(relativeError(part(after, i), part(before, i))).toBeLessThan(tolerance);
      expect(relativeError(part(after, 1), part(before, 1)), `${place}`).toBeGreaterThan(1e-6);
    }
  });

  it("counts the windows that are weighted", () => {
    const batch = batchFor(model, 4, time, random);
    const { data } = batch.inputs.get("weights")!;
    const lossOf = (...weights: number[]): number => {
      data.set(weights);
      return forward(model, batch, parameters).get("loss")!.data[0]!;
    };
    const alone = [0, 1, 2, 3].map((i) => lossOf(...[0, 1, 2, 3].map((j) => Number(i === j))));
    expect(lossOf(1, 0, 1, 1)).toBeCloseTo((alone[0]! + alone[2]! + alone[3]!) / 3, 12);
    expect(new Set(alone).size).toBe(4);
  });
});

describe("instance_norm", () => {
  const model = modelOf("model M { forecast(instance_norm(series(9), epsilon: 0), 4) }");
  const random = new RandomStream(1, "norm");
  const parameters = randomParameters(model, random);

  it("lets a forecast follow the level and the scale of its window", () => {
    const batch = batchFor(model, 2, 1, random);
    const before = forward(model, batch, parameters).get("prediction")!.data.slice();
    const { data } = batch.inputs.get("series")!;
    data.forEach((value, i) => (data[i] = 3 * value - 7));
    const after = forward(model, batch, parameters).get("prediction")!.data;
    const expected = before.map((value) => 3 * value - 7);
    expect(relativeError(after, expected)).toBeLessThan(tolerance);
  });
});
