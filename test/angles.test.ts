/** States that are only angles are kept within one turn, and only those. */

import { describe, expect, test } from "vitest";
import { lower } from "../compiler/2-lower/lower.js";
import { printGraph } from "../compiler/ir/print.js";
import { interpret } from "../runtime/interpret/interpret.js";
import { RandomStream } from "../runtime/random/stream.js";
import { modelOf, randomBatch, randomParameters, worst } from "./support/models/instance.js";

const layer = (step: string, result: string) =>
  modelOf(`layer Own(x: [width], pairs = 2, turned = 4) {
  w = linear(x, [pairs])
  q = linear(x, [turned])
  state phi: [pairs]
  phi <- ${step}
  linear(${result}, [width])
}
model M { language_model(vocab: 5, width: 4, blocks: [Own()]) }`);

const isReduced = (step: string, result: string): boolean => {
  const { functions } = lower(layer(step, result).module, { batch: 1, time: 4 });
  return [...functions.values()].some((graph) => printGraph(graph).includes('"fn":"mod"'));
};

describe("a running sum", () => {
  test.each([
    ["phi + w", "rotate(q, phi)"],
    ["phi + 100 * w - 2", "sin(phi) + cos(-phi.prev)"],
    ["w + phi", "rotate(q, phi + 1) + rotate(q, prev(phi))"],
  ])("%s of which only angles are made is kept within a turn", (step, result) => {
    expect(isReduced(step, result)).toBe(true);
  });

  test.each([
    ["phi + w", "sin(phi) + phi"],
    ["phi + w", "sin(0.5 * phi)"],
    ["phi + w", "tanh(phi)"],
    ["0.9 * phi + w", "sin(phi)"],
    ["w - phi", "sin(phi)"],
    ["phi + sin(phi) * w", "cos(phi)"],
  ])("%s with %s is left alone", (step, result) => {
    expect(isReduced(step, result)).toBe(false);
  });

  test("gives what it gives by hand", () => {
    const random = new RandomStream(1, "angles");
    const [own, byHand] = [
      layer("phi + 9 * w", "rotate(q, phi)"),
      layer("mod(phi + 9 * w, 6.283185307179586)", "rotate(q, phi)"),
    ];
    const parameters = randomParameters(own, random);
    const { batch, time, inputs } = randomBatch(5, 2, 30, random, 0.1);
    const [a, b] = [own, byHand].map(
      ({ module }) => interpret(lower(module, { batch, time }), "main", inputs, parameters).outputs,
    );
    expect(worst(a!, b!).error).toBeLessThan(1e-12);
  });
});
