/**
 * Writes every case of cases.ts as an emitted PyTorch model with random parameters and batches, and beside it
 * what the interpreter computes: test/torch/conformance.py compares.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { timeOf } from "../../../compiler/1-check/model.js";
import { compileTraining } from "../../../compiler/compile.js";
import { modelFile } from "../../../compiler/6-emit/torch/model-file.js";
import { interpret } from "../../../runtime/interpret/interpret.js";
import { kernels as definitions } from "../../../runtime/interpret/ops.js";
import { type Tensor, tensor } from "../../../runtime/interpret/tensor.js";
import { RandomStream } from "../../../runtime/random/stream.js";
import { modelCases } from "./cases.js";
import { batchFor, modelOf, randomParameters } from "./instance.js";

/** Everything that looks back, each expert along the tokens that were routed to it. */
const routed = `
layer Look(x: [width], key = 3) {
  k = conv(linear(x, [key]), 3)
  state s: [key] = 0.5
  s <- tanh(k + 0.5 * s)
  linear(s + prev(k, 2), [width])
}

layer Own(x: [width], experts = 3) {
  route r = top_k(softmax(linear(x, [experts]), experts), 2, normalise: true)
  mix e in r { Look(x) + Attention(x, heads: 2) + Attention(x, heads: 2, window: 2) + GLA(x, heads: 2, key: 3, rank: 2) }
}

model Tiny {
  language_model(vocab: 5, width: 4, blocks: [Block(Own(), swiglu(hidden: 5)), Block(Own(), swiglu(hidden: 5))])
}
`;

const torchCases = [
  ...modelCases,
  ["a route around all that looks back, with attention", routed] as const,
];

const adamw = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, decay: 0.1 };
const rate = 0.01;

const plain = (values: ReadonlyMap<string, Tensor>): object =>
  Object.fromEntries(
    [...values].map(([name, { axes, data }]) => [
      name,
      { shape: axes.map(({ size }) => size), data: Array.from(data) },
    ]),
  );

/** Writes `case_<i>.py` and `case_<i>.json` into a folder for the cases whose name has `only` in it. */
export function writeTorchCases(folder: string, time: number, only = ""): readonly string[] {
  mkdirSync(folder, { recursive: true });
  const cases = torchCases.filter(([label]) => label.includes(only));
  cases.forEach(([label, text], i) => {
    const model = modelOf(text);
    const random = new RandomStream(11, label);
    const stages = compileTraining(model, { batch: 2, time: timeOf(model, time) });
    const parameters = randomParameters(model, random);
    const { text: python, className } = modelFile(model, "model.lsm");
    let current: ReadonlyMap<string, Tensor> = parameters;
    const moments = new Map(
      [...parameters].map(([path, x]) => [path, [tensor(x.axes), tensor(x.axes)] as const]),
    );
    const steps = [1, 2, 3].map((step) => {
      const { inputs } = batchFor(model, 2, time, random);
      const { outputs, updates } = interpret(stages.differentiated, "main", inputs, current);
      const next = new Map(current);
      const gradients = new Map<string, Tensor>();
      for (const [path, x] of current) {
        const gradient = outputs.get(`grad.${path}`);
        if (!gradient) continue;
        gradients.set(path, gradient);
        const scalarOf = (value: number): Tensor => tensor([], Float64Array.of(value));
        const [p, m, v] = definitions.adamw(
          adamw,
          [x, gradient, ...moments.get(path)!, scalarOf(rate), scalarOf(step)],
          [],
        );
        next.set(path, p!);
        moments.set(path, [m!, v!]);
      }
      for (const [path, x] of updates) next.set(path, x);
      current = next;
      const wanted = ["prediction", "loss", "objective"].map(
        (name) => [name, outputs.get(name)!] as const,
      );
      return {
        inputs: plain(inputs),
        outputs: plain(new Map(wanted)),
        gradients: step === 1 ? plain(gradients) : {},
      };
    });
    const reads = model.window === null ? "tokens" : "windows";
    const facts = { label, className, reads, adamw, rate, parameters: plain(parameters), steps };
    writeFileSync(join(folder, `case_${i}.py`), python);
    writeFileSync(join(folder, `case_${i}.json`), JSON.stringify(facts));
  });
  return cases.map(([label]) => label);
}
