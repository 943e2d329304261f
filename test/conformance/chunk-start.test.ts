/**
 * `at chunk(n)`: what it means, by programs that say the same in other words; and its form over rows of one
 * document, with values and all gradients, against the definition.
 */

import { describe, expect, it, test } from "vitest";
import type { Model } from "../../compiler/1-check/model.js";
import { lower } from "../../compiler/2-lower/lower.js";
import { differentiate } from "../../compiler/3-derive/differentiate.js";
import { type FormOptions, chooseForms } from "../../compiler/3-derive/forms/forms.js";
import { sound } from "../../compiler/ir/debug.js";
import { interpret } from "../../runtime/interpret/interpret.js";
import type { Tensor } from "../../runtime/interpret/tensor.js";
import { RandomStream } from "../../runtime/random/stream.js";
import {
  type Batch,
  modelOf,
  randomBatch,
  randomParameters,
  relativeError,
  worst,
} from "../support/models/instance.js";
import { layerCases, needsWholeRows } from "../support/models/layers.js";

const tolerance = 1e-9;
const recurrent: FormOptions = { prefer: "recurrent", chunk: null };

function gradients(
  model: Model,
  { batch, time, inputs }: Batch,
  parameters: Map<string, Tensor>,
  forms: FormOptions,
) {
  const { module, reports } = chooseForms(lower(model.module, { batch, time }), forms);
  const trained = sound(differentiate(sound(module, "formed")), "differentiated");
  return { reports, values: interpret(trained, "main", inputs, parameters).outputs };
}

const layer = (body: string): Model =>
  modelOf(`layer Own(x: [width], heads = 2, key = 3, value = 3) {
  q = linear(x, [heads, key])
  k = l2norm(linear(x, [heads, key]), key)
  v = linear(x, [heads, value])
  a = sigmoid(linear(x, [heads]))
  b = sigmoid(linear(x, [heads]))
${body}
  linear(read, [width])
}
model Tiny { language_model(vocab: 5, width: 4, blocks: [Block(Own(), swiglu(hidden: 5))]) }
`);

/** A step with `at chunk(3)`, and the same with the copy of the state written out. */
const spellings: Readonly<Record<string, readonly [string, string]>> = {
  "a gradient that is not affine is of the chunk's first state, the decay of each token's": [
    `  state S: [heads, key, value]
  S <- a * S - b * grad(sum(softplus(dot(k, S, key))), S) at chunk(3)
  read = dot(q, S, key)`,
    `  state S: [heads, key, value]
  state T: [heads, key, value]
  T <- select(mod(position(), 3) == 0, S, T)
  S <- a * S - b * grad(sum(softplus(dot(k, T, key))), T)
  read = dot(q, S, key)`,
  ],
  "terms are told apart behind factors and signs": [
    `  state S: [heads, key, value]
  e = dot(k, S, key) - v
  S <- a * (S - b * (k * (e + tanh(e)) - 0.1 * S / 2)) at chunk(3)
  read = dot(q, S, key)`,
    `  state S: [heads, key, value]
  state T: [heads, key, value]
  T <- select(mod(position(), 3) == 0, S, T)
  S <- a * (S - b * (k * (dot(k, S, key) - v + tanh(dot(k, T, key) - v)) - 0.05 * S))
  read = dot(q, S, key)`,
  ],
  "another state that steps together is the chunk's first, one written before is the token's": [
    `  state Z: [heads, key, value]
  state M: [heads, key, value]
  Z <- a * Z - b * grad(0.5 * sum(square(dot(k, M, key) - v)), M) at chunk(3)
  M <- (1 - 0.1 * b) * M + Z at chunk(3)
  read = dot(q, M, key)`,
    `  state Z: [heads, key, value]
  state M: [heads, key, value]
  state T: [heads, key, value]
  T <- select(mod(position(), 3) == 0, M, T)
  Z <- a * Z - b * k * (dot(k, T, key) - v)
  M <- (1 - 0.1 * b) * M + Z
  read = dot(q, M, key)`,
  ],
  "a state may be fed by another's value of the last token": [
    `  state Z: [heads, key, value]
  state M: [heads, key, value]
  M <- (1 - 0.1 * b) * M + 0.5 * a * Z + 0.1 * k * v
  Z <- a * Z - b * grad(sum(softplus(dot(k, M.prev, key) - v)), M.prev) at chunk(3)
  read = dot(q, M, key) + dot(k, M.prev, key) - b * dot(q, Z, key)`,
    `  state Z: [heads, key, value]
  state M: [heads, key, value]
  state T: [heads, key, value]
  T <- select(mod(position(), 3) == 0, M, T)
  M <- (1 - 0.1 * b) * M + 0.5 * a * Z + 0.1 * k * v
  Z <- a * Z - b * grad(sum(softplus(dot(k, T, key) - v)), T)
  read = dot(q, M, key) + dot(k, M.prev, key) - b * dot(q, Z, key)`,
  ],
  "two states whose loss is one": [
    `  state W: [heads, key, value]
  state c: [heads, value]
  loss = sum(softplus(dot(k, W, key) + c) - v)
  W <- W - b * grad(loss, W) at chunk(3)
  c <- a * c - b * grad(loss, c) at chunk(3)
  read = dot(q, W, key) + c`,
    `  state W: [heads, key, value]
  state c: [heads, value]
  state W0: [heads, key, value]
  state c0: [heads, value]
  W0 <- select(mod(position(), 3) == 0, W, W0)
  c0 <- select(mod(position(), 3) == 0, c, c0)
  g = sigmoid(dot(k, W0, key) + c0)
  W <- W - b * k * g
  c <- a * c - b * g
  read = dot(q, W, key) + c`,
  ],
  "an affine step is what it is without": [
    `  state S: [heads, key, value]
  S <- a * S - b * grad(0.5 * sum(square(dot(k, S, key) - v)), S) at chunk(3)
  read = dot(q, S, key)`,
    `  state S: [heads, key, value]
  S <- a * S - b * k * (dot(k, S, key) - v)
  read = dot(q, S, key)`,
  ],
  "in chunks of one token nothing is old": [
    `  state S: [heads, key, value]
  S <- a * S - b * grad(sum(softplus(dot(k, S, key))), S) at chunk(1)
  read = dot(q, S, key)`,
    `  state S: [heads, key, value]
  S <- a * S - b * grad(sum(softplus(dot(k, S, key))), S)
  read = dot(q, S, key)`,
  ],
};

describe("at chunk(n)", () => {
  test.each(Object.entries(spellings))("%s", (name, [asked, written]) => {
    const random = new RandomStream(20261123, name);
    const models = [layer(asked), layer(written)];
    const parameters = randomParameters(models[0]!, random);
    for (const documents of [0, 0.3]) {
      const batch = randomBatch(5, 2, 11, random, documents);
      const [one, other] = models.map(
        (model) => gradients(model, batch, parameters, recurrent).values,
      );
      expect(worst(one!, other!)).toSatisfy(({ error }) => error < 1e-12);
      const formed = gradients(models[0]!, batch, parameters, {
        prefer: "chunk",
        chunk: null,
        packed: documents > 0,
      });
      expect(worst(formed.values, one!)).toSatisfy(({ error }) => error < tolerance);
      if (name.startsWith("an affine")) continue;
      const form = name.includes("one token") ? "recurrent" : "chunk 3";
      expect(formed.reports.map((report) => [report.family, report.form])).toEqual([["F7", form]]);
    }
  });
});

describe.each(layerCases.filter(([name]) => needsWholeRows(name)))("%s", (name, text) => {
  const model = modelOf(text);
  const random = new RandomStream(3, name);
  const parameters = randomParameters(model, random);
  const whole: FormOptions = { prefer: "chunk", chunk: null, packed: false };
  const packed: FormOptions = { ...whole, packed: true };

  it.each([1, 2, 3, 7, 12])("has one value and one gradient in whole rows of T = %i", (time) => {
    const batch = randomBatch(model.vocabulary!, 2, time, random, 0);
    const { values, reports } = gradients(model, batch, parameters, whole);
    for (const { family, form, reason } of reports)
      expect([family, form, reason]).toEqual(["F7", expect.stringMatching(/^chunk/), null]);
    const expected = gradients(model, batch, parameters, recurrent).values;
    expect(worst(values, expected)).toSatisfy(({ error }) => error < tolerance);
  });

  it.each([1, 3, 7, 12, 17])("has one value and one gradient in packed rows of T = %i", (time) => {
    for (const documents of [0.05, 0.2, 0.6]) {
      const batch = randomBatch(model.vocabulary!, 2, time, random, documents);
      const { values, reports } = gradients(model, batch, parameters, packed);
      for (const { form } of reports) expect(form).toMatch(/^chunk/);
      const expected = gradients(model, batch, parameters, recurrent).values;
      expect(worst(values, expected)).toSatisfy(({ error }) => error < tolerance);
    }
  });

  it.each([whole, packed])("never looks at the future", (forms) => {
    const batch = randomBatch(model.vocabulary!, 1, 11, random, 0);
    const before = gradients(model, batch, parameters, forms)
      .values.get("prediction")!
      .data.slice();
    const tokens = batch.inputs.get("tokens")!.data;
    const [changed, vocabulary] = [4, model.vocabulary!];
    tokens[changed] = (tokens[changed]! + 1) % vocabulary;
    const after = gradients(model, batch, parameters, forms).values.get("prediction")!.data;
    const past = changed * vocabulary;
    expect(relativeError(after.slice(0, past), before.slice(0, past))).toBeLessThan(tolerance);
    expect(relativeError(after.slice(past), before.slice(past))).toBeGreaterThan(1e-6);
  });
});

test("memories of a mix run in chunks, each at tokens of its own", () => {
  const model = layer(`
  route r = top_k(softmax(linear(x, [memories: 3])), 2)
  read = mix e in r {
    state S: [heads, key, value]
    S <- a * S - b * grad(sum(softplus(dot(k, S, key)) - v), S) at chunk(3)
    dot(q, S, key)
  }`);
  const random = new RandomStream(5, "memories");
  const parameters = randomParameters(model, random);
  for (const documents of [0, 0.1, 0.4]) {
    const batch = randomBatch(5, 2, 13, random, documents);
    const forms: FormOptions = { prefer: "chunk", chunk: null, packed: documents > 0 };
    const { values, reports } = gradients(model, batch, parameters, forms);
    expect(reports.map(({ family, form }) => [family, form])).toEqual([["F7", "chunk 3"]]);
    const expected = gradients(model, batch, parameters, recurrent).values;
    expect(worst(values, expected)).toSatisfy(({ error }) => error < tolerance);
  }
});
