/** Memories as optimisers: an inner loss that is affine in the memory is the linear family it is by hand. */

import { describe, expect, test } from "vitest";
import { lower } from "../../compiler/2-lower/lower.js";
import { differentiate } from "../../compiler/3-derive/differentiate.js";
import { chooseForms } from "../../compiler/3-derive/forms/forms.js";
import { interpret } from "../../runtime/interpret/interpret.js";
import { RandomStream } from "../../runtime/random/stream.js";
import { modelOf, randomBatch, randomParameters, worst } from "../support/models/instance.js";

const tolerance = 1e-12; // the same sums, but for the order of factors

const modelWith = (steps: string) =>
  modelOf(`layer Own(x: [width], heads = 2, key = 3, value = 2) {
  q = linear(x, [heads, key])
  k = l2norm(linear(x, [heads, key]), key)
  v = linear(x, [heads, value])
  a = sigmoid(linear(x, [heads]))
  b = sigmoid(linear(x, [heads]))
  c = sigmoid(linear(x, [heads, key]))
  state S: [heads, key, value]
  ${steps}
  linear(dot(q, S, key), [width])
}
model Tiny { language_model(vocab: 5, width: 4, blocks: [Block(Own(), swiglu(hidden: 5))]) }
`);

/** What is written with an inner loss, the same by hand, and the family of both. */
const pairs: Readonly<Record<string, readonly [string, string, string]>> = {
  "the gated delta rule": [
    "S <- a * S - b * grad(0.5 * sum(square(dot(k, S, key) - v)), S)",
    "S <- a * S - b * k * (dot(k, S, key) - v)",
    "F3",
  ],
  "Gated DeltaNet, whose loss is of the decayed memory": [
    `S <- a * S
  S <- S - b * grad(0.5 * sum(square(dot(k, S, key) - v)), S)`,
    "S <- a * (S - b * k * dot(k, S, key)) + b * k * v",
    "F3",
  ],
  "linear attention, whose loss is the agreement": [
    "S <- S - grad(-sum(dot(k, S, key) * v), S)",
    "S <- S + k * v",
    "F0",
  ],
  "weight decay as part of the loss": [
    "S <- S - b * grad(0.5 * sum(square(S)) - sum(dot(k, S, key) * v), S)",
    "S <- (1 - b) * S + b * k * v",
    "F1",
  ],
  "a key gate": [
    "S <- c * S - b * grad(0.5 * sum(square(dot(k, S, key) - v)), S)",
    "S <- c * S - b * k * (dot(k, S, key) - v)",
    "F4",
  ],
};

describe("an inner loss", () => {
  test.each(Object.entries(pairs))("gives %s", (name, [learned, byHand, family]) => {
    const random = new RandomStream(20261123, name);
    const models = [modelWith(learned), modelWith(byHand)];
    const parameters = randomParameters(models[0]!, random);
    const { batch, time, inputs } = randomBatch(5, 2, 11, random);
    const [one, other] = models.map((model) => {
      const forms = { prefer: "chunk", chunk: 4 } as const;
      const { module, reports } = chooseForms(lower(model.module, { batch, time }), forms);
      expect(reports.map((report) => [report.family, report.form])).toEqual([[family, "chunk 4"]]);
      return interpret(differentiate(module), "main", inputs, parameters).outputs;
    });
    expect(worst(one!, other!)).toSatisfy(({ error }) => error < tolerance);
  });
});
