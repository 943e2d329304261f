/**
 * Random steps with `at chunk(n)`, in float64: sums of terms, linear and not, of one state or of two that step
 * together. Chunk-start form = token by token = the same with the copies written out; decoding = parallel.
 */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lower } from "../../compiler/2-lower/lower.js";
import { differentiate } from "../../compiler/3-derive/differentiate.js";
import { type FormOptions, chooseForms } from "../../compiler/3-derive/forms/forms.js";
import { sound } from "../../compiler/ir/debug.js";
import { interpret } from "../../runtime/interpret/interpret.js";
import { RandomStream } from "../../runtime/random/stream.js";
import { decode } from "../support/fuzz/hold.js";
import { modelOf, randomBatch, randomParameters, worst } from "../support/models/instance.js";

const runs = Number(process.env["FUZZ"] ?? 12);
const settings = { numRuns: runs, seed: Number(process.env["SEED"] ?? 1) };
const tolerance = 1e-9;

/** Terms of a step: S is the state of now, and N what the nonlinear ones see. */
const linear = [
  "a * S",
  "c * S",
  "S / 2",
  "b * k * dot(k, 0.5 * S, key)",
  "k * v",
  "a * (S + k * v) / 3",
] as const;
const nonlinear = [
  "b * grad(sum(softplus(dot(k, N, key) - v)), N)",
  "0.3 * tanh(N)",
  "k * tanh(dot(k, N, key) + v)",
  "b * grad(0.5 * sum(square(l2norm(dot(k, N, key), value) - v)), N)",
  "0.1 * N * sum(N)",
] as const;
const signed = <T extends string>(terms: readonly T[]) =>
  fc.record({ sign: fc.constantFrom("+", "-"), term: fc.constantFrom(...terms) });
const step = fc.record({
  linear: fc.array(signed(linear), { minLength: 1, maxLength: 2 }),
  nonlinear: fc.array(signed(nonlinear), { minLength: 1, maxLength: 2 }),
  scale: fc.constantFrom("", "b * ", "0.5 * "),
  partner: fc.constantFrom("none", "reads", "feeds"),
});
const spec = fc.record({ step, size: fc.integer({ min: 1, max: 4 }) });
type Spec = typeof spec extends fc.Arbitrary<infer T> ? T : never;

/** The program with `at chunk(n)`, or with the copies of states written out. */
function programOf(
  { step: { linear: kept, nonlinear: seen, scale, partner }, size }: Spec,
  asked: boolean,
) {
  const terms = [...kept, ...seen].map(({ sign, term }) => ` ${sign} ${term}`).join("");
  const state = (old: string) => terms.replaceAll("N", old).trim().replace(/^\+/, "");
  const copy = (of: string, to: string): string[] =>
    asked
      ? []
      : [
          `state ${to}: [heads, key, value]`,
          `${to} <- select(mod(position(), ${size}) == 0, ${of}, ${to})`,
        ];
  const at = asked ? ` at chunk(${size})` : "";
  const extra = partner === "reads" ? ` + 0.2 * tanh(${asked ? "P" : "Q"})` : "";
  const lines = [
    "state S: [heads, key, value]",
    ...(partner === "none" ? [] : ["state P: [heads, key, value]"]),
    ...copy("S", "T"),
    ...(partner === "reads" ? copy("P", "Q") : []),
    `S <- ${scale}(${state(asked ? "S" : "T")}${extra})${at}`,
    ...(partner === "none" ? [] : ["P <- a * P + 0.5 * S"]),
    `o = dot(q, S, key)${partner === "none" ? "" : " + dot(q, P, key)"}`,
  ];
  return `layer Own(x: [width], heads = 2, key = 3, value = 2) {
  q = linear(x, [heads, key])
  k = l2norm(linear(x, [heads, key]), key)
  v = linear(x, [heads, value])
  a = sigmoid(linear(x, [heads]))
  b = sigmoid(linear(x, [heads]))
  c = sigmoid(linear(x, [heads, key]))
${lines.map((line) => `  ${line}`).join("\n")}
  linear(o, [width])
}
model Tiny { language_model(vocab: 5, width: 3, blocks: [Block(Own(), swiglu(hidden: 2))]) }
`;
}

describe("any step with `at chunk(n)`", { timeout: 60_000 + runs * 2000 }, () => {
  test("has one value and one gradient in every form, and means what its copies mean", () => {
    let formed = 0;
    const one = fc.property(spec, fc.nat(), fc.integer({ min: 1, max: 9 }), (each, seed, time) => {
      const [text, other] = [programOf(each, true), programOf(each, false)];
      const [model, written] = [modelOf(text), modelOf(other)];
      const random = new RandomStream(seed, "chunk starts");
      const parameters = randomParameters(model, random);
      for (const documents of [0, 0.3]) {
        const { batch, inputs } = randomBatch(5, 2, time, random, documents);
        const run = (of: typeof model, forms: FormOptions) => {
          const { module, reports } = chooseForms(lower(of.module, { batch, time }), forms);
          formed += reports.filter(({ form }) => form.startsWith("chunk")).length;
          const trained = sound(differentiate(sound(module, "formed")), "differentiated");
          return interpret(trained, "main", inputs, parameters).outputs;
        };
        const expected = run(written, { prefer: "recurrent", chunk: null });
        const whole: FormOptions = { prefer: "chunk", chunk: null, packed: documents > 0 };
        for (const found of [run(model, { prefer: "recurrent", chunk: null }), run(model, whole)]) {
          const { error, name } = worst(found, expected);
          if (!(error < tolerance)) expect.fail(`${text}\n${name} differs by ${error}`);
        }
      }
      const batch = randomBatch(5, 1, time, random, 0.3);
      const module = lower(model.module, { batch: 1, time });
      const prediction = interpret(module, "main", batch.inputs, parameters).outputs.get(
        "prediction",
      )!;
      const steps = new Map([["steps", { data: decode(model, batch, parameters) }]]);
      const { error } = worst(steps, new Map([["steps", prediction]]));
      if (!(error < tolerance)) expect.fail(`${text}\ndecoding differs by ${error}`);
    });
    fc.assert(one, settings);
    expect(formed).toBeGreaterThan(runs / 4);
  });
});
