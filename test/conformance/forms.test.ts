/**
 * Every form of every layer against the definition, in float64: the chunk form in several chunk sizes, its
 * gradients, the recurrent form token by token, causality, packed documents, single tokens.
 */

import { describe, expect, it } from "vitest";
import type { Model } from "../../compiler/1-check/model.js";
import { lower } from "../../compiler/2-lower/lower.js";
import { recurrentForm } from "../../compiler/3-derive/decode/recurrent-form.js";
import { differentiate } from "../../compiler/3-derive/differentiate.js";
import { type FormOptions, chooseForms } from "../../compiler/3-derive/forms/forms.js";
import { withOperands } from "../../compiler/3-derive/forms/operands.js";
import { interpret } from "../../runtime/interpret/interpret.js";
import { type Tensor, tensor } from "../../runtime/interpret/tensor.js";
import { RandomStream } from "../../runtime/random/stream.js";
import {
  type Batch,
  modelOf,
  randomBatch,
  randomParameters,
  relativeError,
  worst,
} from "../support/models/instance.js";
import { layerCases } from "../support/models/layers.js";

const tolerance = 1e-9; // float64 throughout; forms differ in the order of sums only

function gradients(
  model: Model,
  { batch, time, inputs }: Batch,
  parameters: Map<string, Tensor>,
  forms: FormOptions,
) {
  const lowered = lower(model.module, { batch, time });
  return interpret(differentiate(chooseForms(lowered, forms).module), "main", inputs, parameters)
    .outputs;
}

function forward(model: Model, { batch, time, inputs }: Batch, parameters: Map<string, Tensor>) {
  return interpret(lower(model.module, { batch, time }), "main", inputs, parameters).outputs;
}

/** Row `row` of a batch from token `from` on, as a batch of its own. */
function part({ time, inputs }: Batch, row: number, from: number, to: number): Batch {
  const axes = [
    { name: "batch", size: 1 },
    { name: "time", size: to - from },
  ];
  const cut = (x: Tensor): Tensor => tensor(axes, x.data.slice(row * time + from, row * time + to));
  return {
    batch: 1,
    time: to - from,
    inputs: new Map([...inputs].map(([name, x]) => [name, cut(x)])),
  };
}

describe.each(layerCases)("%s", (name, text) => {
  const model = modelOf(text);
  const random = new RandomStream(20261123, name);
  const parameters = randomParameters(model, random);

  it.each([1, 2, 7, 19])("has one value and one gradient in all forms at T = %i", (time) => {
    const batch = randomBatch(model.vocabulary!, 2, time, random);
    const definition = forward(model, batch, parameters);
    const recurrent = gradients(model, batch, parameters, { prefer: "recurrent", chunk: null });
    expect(worst(recurrent, definition)).toSatisfy(({ error }) => error < tolerance);
    const lowered = withOperands(lower(model.module, { batch: 2, time }));
    const asOneOp = interpret(lowered, "main", batch.inputs, parameters).outputs;
    expect(worst(asOneOp, definition)).toSatisfy(({ error }) => error < tolerance);
    for (const chunk of [null, 1, 4]) {
      const found = worst(
        gradients(model, batch, parameters, { prefer: "chunk", chunk }),
        recurrent,
      );
      expect(found, `chunk ${chunk}`).toSatisfy(({ error }) => error < tolerance);
    }
  });

  it("has the gradient that differences show", () => {
    const batch = randomBatch(model.vocabulary!, 2, 6, random);
    const found = gradients(model, batch, parameters, { prefer: "chunk", chunk: 4 });
    const objective = (): number => forward(model, batch, parameters).get("objective")!.data[0]!;
    for (const [path, { data }] of parameters) {
      const gradient = found.get(`grad.${path}`);
      if (!gradient) continue;
      const i = random.integer(data.length);
      const [value, h] = [data[i]!, 1e-5];
      data[i] = value + h;
      const above = objective();
      data[i] = value - h;
      const below = objective();
      data[i] = value;
      const difference = (above - below) / (2 * h);
      expect(Math.abs(difference - gradient.data[i]!), path).toBeLessThan(
        1e-6 + 1e-5 * Math.abs(difference),
      );
    }
  });

  it("predicts token by token what it predicts in parallel", () => {
    const batch = randomBatch(model.vocabulary!, 1, 11, random);
    const expected = forward(model, batch, parameters).get("prediction")!;
    const { module, carried } = recurrentForm(lower(model.module, { batch: 1, time: 1 }), 11);
    let states = new Map(
      carried.map(({ name: own, axes, initial }) => {
        const start = tensor(axes);
        start.data.fill(initial);
        return [own, start];
      }),
    );
    const logits: number[] = [];
    for (let t = 0; t < 11; t += 1) {
      const { outputs } = interpret(
        module,
        "main",
        new Map([...part(batch, 0, t, t + 1).inputs, ...states]),
        parameters,
      );
      logits.push(...outputs.get("prediction")!.data);
      states = new Map(carried.map(({ name: own }) => [own, outputs.get(own)!]));
    }
    expect(relativeError(logits, expected.data)).toBeLessThan(tolerance);
  });

  it("never looks at the future", () => {
    const batch = randomBatch(model.vocabulary!, 1, 9, random);
    const before = forward(model, batch, parameters).get("prediction")!.data.slice();
    const tokens = batch.inputs.get("tokens")!.data;
    const changed = 5;
    tokens[changed] = (tokens[changed]! + 1) % model.vocabulary!;
    for (const forms of [
      { prefer: "recurrent", chunk: null },
      { prefer: "chunk", chunk: 4 },
    ] as const) {
      const after = gradients(model, batch, parameters, forms).get("prediction")!.data;
      const vocabulary = model.vocabulary!;
      expect(
        relativeError(after.slice(0, changed * vocabulary), before.slice(0, changed * vocabulary)),
      ).toBeLessThan(tolerance);
      expect(
        relativeError(after.slice(changed * vocabulary), before.slice(changed * vocabulary)),
      ).toBeGreaterThan(1e-6);
    }
  });

  it("gives packed documents what it gives them alone", () => {
    const batch = randomBatch(model.vocabulary!, 1, 13, random, 0.3);
    const packed = gradients(model, batch, parameters, { prefer: "chunk", chunk: 4 }).get(
      "prediction",
    )!.data;
    const positions = batch.inputs.get("positions")!.data;
    const starts = [...positions.keys()].filter((t) => positions[t] === 0);
    starts.forEach((start, i) => {
      const end = starts[i + 1] ?? 13;
      const alone = forward(model, part(batch, 0, start, end), parameters).get("prediction")!.data;
      const vocabulary = model.vocabulary!;
      expect(relativeError(packed.slice(start * vocabulary, end * vocabulary), alone)).toBeLessThan(
        tolerance,
      );
    });
  });
});
