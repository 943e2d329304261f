/**
 * Scheduled programs against the graphs they were made of, in float64: fusion changes nothing, no buffer is
 * read before it is written or after it is freed, none is left. Three whole training steps of `step`.
 */

import { describe, expect, it } from "vitest";
import { compileTraining } from "../../compiler/compile.js";
import { interpret } from "../../runtime/interpret/interpret.js";
import { kernels } from "../../runtime/interpret/ops.js";
import { interpretProgram } from "../../runtime/interpret/program.js";
import { tensor } from "../../runtime/interpret/tensor.js";
import { RandomStream } from "../../runtime/random/stream.js";
import { modelOf, randomBatch, randomParameters, worst } from "../support/models/instance.js";
import { layerCases } from "../support/models/layers.js";

const adamw = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, decay: 0.1, muon: null };
const clip = 0.5;
const rate = 0.01;

describe.each(layerCases)("%s", (name, text) => {
  const model = modelOf(text);
  const random = new RandomStream(11, name);
  const stages = compileTraining(model, { batch: 2, time: 7 }, undefined, { ...adamw, clip });
  const start = randomParameters(model, random);

  it("computes scheduled what the graph says, and leaves no buffer", () => {
    const { inputs } = randomBatch(model.vocabulary!, 2, 7, random);
    const expected = interpret(stages.differentiated, "main", inputs, start);
    const found = interpretProgram(stages.gradients, inputs, start);
    expected.outputs.delete("prediction");
    expect(worst(found.outputs, expected.outputs)).toSatisfy(({ error }) => error < 1e-12);
    expect(worst(found.updates, expected.updates)).toSatisfy(({ error }) => error < 1e-12);
    expect(worst(found.metrics, expected.metrics)).toSatisfy(({ error }) => error < 1e-12);
    expect([...found.metrics.keys()]).toEqual([...expected.metrics.keys()]);
    expect(found.leaked).toEqual([]);
  });

  it("trains three steps as gradients, clipping and AdamW one by one", () => {
    const expected = new Map(start);
    const moments = new Map(
      [...start].map(([path, { axes }]) => [path, [tensor(axes), tensor(axes)] as const]),
    );
    const parameters = new Map(start);
    const optimizer = { parameters, moments: new Map(moments) };
    const decays = new Map(stages.parameters.map(({ path, decay }) => [path, decay]));
    for (let step = 1; step <= 3; step += 1) {
      const { inputs } = randomBatch(model.vocabulary!, 2, 7, random);
      const { outputs, updates } = interpret(stages.differentiated, "main", inputs, expected);
      const gradients = [...outputs].filter(([key]) => key.startsWith("grad."));
      const norm = Math.sqrt(
        gradients.reduce((sum, [, { data }]) => data.reduce((s, g) => s + g * g, sum), 0),
      );
      for (const [key, { axes, data }] of gradients) {
        const path = key.slice("grad.".length);
        const clipped = tensor(
          axes,
          data.map((g) => g * Math.min(1, clip / norm)),
        );
        const [m, v] = moments.get(path)!;
        const scalars = [rate, step].map((value) => tensor([], Float64Array.of(value)));
        const options = { ...adamw, decay: decays.get(path)! ? adamw.decay : 0 };
        const next = kernels.adamw(options, [expected.get(path)!, clipped, m, v, ...scalars], []);
        expected.set(path, next[0]!);
        moments.set(path, [next[1]!, next[2]!]);
      }
      for (const [path, value] of updates) expected.set(path, value);

      const found = interpretProgram(stages.step, inputs, parameters, { ...optimizer, rate, step });
      for (const [path, value] of found.updates) parameters.set(path, value);
      expect(found.outputs.get("grad_norm")!.data[0]).toBeCloseTo(norm, 10);
      expect(found.leaked).toEqual([]);
    }
    expect(worst(parameters, expected)).toSatisfy(({ error }) => error < 1e-10);
  });
});
