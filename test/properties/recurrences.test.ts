/**
 * Random recurrences in every form, in float64: chunk form = recurrent form = interpreter, values and all
 * gradients; decoding = parallel; nothing from the future. `FUZZ=1000` runs more cases; `SEED` chooses others.
 */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Model } from "../../compiler/1-check/model.js";
import { lower } from "../../compiler/2-lower/lower.js";
import { differentiate } from "../../compiler/3-derive/differentiate.js";
import { type FormOptions, chooseForms } from "../../compiler/3-derive/forms/forms.js";
import { sound } from "../../compiler/ir/debug.js";
import { interpret } from "../../runtime/interpret/interpret.js";
import type { Tensor } from "../../runtime/interpret/tensor.js";
import { RandomStream } from "../../runtime/random/stream.js";
import { decode } from "../support/fuzz/hold.js";
import {
  type Batch,
  modelOf,
  randomBatch,
  randomParameters,
  worst,
} from "../support/models/instance.js";
import { programOf, recurrences } from "./recurrence-programs.js";

const runs = Number(process.env["FUZZ"] ?? 25);
const settings = { numRuns: runs, seed: Number(process.env["SEED"] ?? 1) };
const patience = 60_000 + runs * 1000;
const tolerance = 1e-9;

type Parameters = Map<string, Tensor>;
type Results = ReadonlyMap<string, { readonly data: ArrayLike<number> }>;

function forward(model: Model, { batch, time, inputs }: Batch, parameters: Parameters) {
  const module = sound(lower(model.module, { batch, time }), "lowered");
  return interpret(module, "main", inputs, parameters).outputs;
}

function gradients(
  model: Model,
  { batch, time, inputs }: Batch,
  parameters: Parameters,
  forms: FormOptions,
) {
  const { module, reports } = chooseForms(lower(model.module, { batch, time }), forms);
  const trained = sound(differentiate(sound(module, "formed")), "differentiated");
  return { reports, values: interpret(trained, "main", inputs, parameters).outputs };
}

interface Case {
  readonly text: string;
  readonly model: Model;
  readonly parameters: Parameters;
  readonly random: RandomStream;
}

/** Runs a property over random recurrences, their parameters and sequences. */
function holds(property: (each: Case, time: number) => void): void {
  const one = fc.property(
    recurrences,
    fc.nat(),
    fc.integer({ min: 1, max: 9 }),
    (spec, seed, time) => {
      const text = programOf(spec);
      const random = new RandomStream(seed, "recurrences");
      const model = modelOf(text);
      property({ text, model, random, parameters: randomParameters(model, random) }, time);
    },
  );
  fc.assert(one, settings);
}

function expectSame(actual: Results, expected: Results, what: string): void {
  const found = worst(actual, expected);
  if (!(found.error < tolerance)) expect.fail(`${what}: ${found.name} differs by ${found.error}`);
}
describe("any recurrence", { timeout: patience }, () => {
  test("has one value and one gradient in every form", () => {
    let chunked = 0;
    const families = new Set<string>();
    holds(({ text, model, parameters, random }, time) => {
      const batch = randomBatch(model.vocabulary!, 2, time, random, 0.25);
      const definition = forward(model, batch, parameters);
      const recurrent = gradients(model, batch, parameters, { prefer: "recurrent", chunk: null });
      expectSame(recurrent.values, definition, `${text}\nrecurrent form`);
      for (const chunk of [null, 1, 2, 4]) {
        const { values, reports } = gradients(model, batch, parameters, { prefer: "chunk", chunk });
        expectSame(values, recurrent.values, `${text}\nchunk ${chunk}`);
        reports.forEach(({ family }) => families.add(family));
        chunked += reports.filter(({ form }) => form !== "recurrent").length;
      }
    });
    expect(chunked).toBeGreaterThan(runs);
    if (settings.seed === 1 && runs >= 25)
      expect([...families]).toEqual(expect.arrayContaining(["F1", "F3", "F5", "F6"]));
  });

  test("has the gradient that differences show", () => {
    holds(({ text, model, parameters, random }, time) => {
      const batch = randomBatch(model.vocabulary!, 1, time, random, 0.25);
      const objective = (): number => forward(model, batch, parameters).get("objective")!.data[0]!;
      const { values } = gradients(model, batch, parameters, { prefer: "chunk", chunk: 3 });
      const [path, { data }] = [...parameters][random.integer(parameters.size)]!;
      const i = random.integer(data.length);
      const [value, h] = [data[i]!, 1e-5];
      data[i] = value + h;
      const above = objective();
      data[i] = value - h;
      const difference = (above - objective()) / (2 * h);
      const gradient = values.get(`grad.${path}`)!.data[i]!;
      const close = Math.abs(difference - gradient) < 1e-6 + 1e-4 * Math.abs(difference);
      if (!close) expect.fail(`${text}\n${path}: ${gradient}, differences show ${difference}`);
    });
  });

  test("predicts token by token what it predicts in parallel, and never looks ahead", () => {
    holds(({ text, model, parameters, random }, time) => {
      const batch = randomBatch(model.vocabulary!, 1, time, random, 0.25);
      const before = forward(model, batch, parameters).get("prediction")!;
      const steps = { data: decode(model, batch, parameters) };
      expectSame(new Map([["steps", steps]]), new Map([["steps", before]]), `${text}\ndecoding`);
      const changed = random.integer(time);
      if (changed === 0) return;
      const tokens = batch.inputs.get("tokens")!.data;
      tokens[changed] = (tokens[changed]! + 1) % model.vocabulary!;
      const { values } = gradients(model, batch, parameters, { prefer: "chunk", chunk: 4 });
      const past = ({ data }: { readonly data: ArrayLike<number> }) => ({
        data: Array.from(data).slice(0, changed * model.vocabulary!),
      });
      expectSame(
        new Map([["past", past(values.get("prediction")!)]]),
        new Map([["past", past(before)]]),
        `${text}\nafter a change of token ${changed}`,
      );
    });
  });
});
