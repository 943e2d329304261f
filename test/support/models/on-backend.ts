/**
 * Runs the cases of cases.ts on one tfjs backend and compares with the interpreter; a program of its own,
 * since WebGPU wants its process to itself. Arguments: backend, most cases, T. Prints one JSON line a case.
 */

import type { Tensor as TfTensor } from "@tensorflow/tfjs";
import { type Model, timeOf } from "../../../compiler/1-check/model.js";
import type { Sizes } from "../../../compiler/2-lower/lower.js";
import { compileDecoding, compileTraining } from "../../../compiler/compile.js";
import { Executor } from "../../../compiler/6-emit/tfjs/execute.js";
import { Letters } from "../../../compiler/6-emit/tfjs/letters.js";
import { interpret } from "../../../runtime/interpret/interpret.js";
import { kernels as definitions } from "../../../runtime/interpret/ops.js";
import { type Tensor, tensor } from "../../../runtime/interpret/tensor.js";
import { RandomStream } from "../../../runtime/random/stream.js";
import { type BackendName, chooseBackend } from "../../../runtime/tfjs/index.js";
import { modelCases } from "./cases.js";
import {
  batchFor,
  modelOf,
  randomBatch,
  randomParameters,
  relativeError,
  worst,
} from "./instance.js";
import { needsWholeRows } from "./layers.js";
import { recordedSteps } from "./recorded-steps.js";

const [name, most, length] = process.argv.slice(2) as [BackendName, string, string];
const adamw = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, decay: 0.1 };
const rate = 0.01;
const backend = await chooseBackend(name);
const { tf, kernels } = backend;

const upload = (x: Tensor, int = false): TfTensor =>
  tf.tensor(
    int ? Int32Array.from(x.data) : Float32Array.from(x.data),
    x.axes.map(({ size }) => size),
    int ? "int32" : "float32",
  );
const uploadAll = (values: ReadonlyMap<string, Tensor>): Map<string, TfTensor> =>
  new Map([...values].map(([key, x]) => [key, upload(x, key === "tokens" || key === "targets")]));
const free = (values: Iterable<TfTensor>): void => {
  for (const x of values) x.dispose();
};

async function download(
  values: ReadonlyMap<string, TfTensor>,
): Promise<Map<string, { data: ArrayLike<number> }>> {
  const found = new Map<string, { data: ArrayLike<number> }>();
  for (const [key, x] of values) found.set(key, { data: await x.data() });
  free(values.values());
  return found;
}

/** With products of every kind: experts' and heads' own, of axes that are merged, and inside of a step. */
const muonCases: ReadonlySet<string> = new Set(["GLA (F2)", "MoE, softmax scores", "MoM"]);

/** Values and gradients, then AdamW, three times over; the weights are the caller's. */
async function plainSteps(
  label: string,
  model: Model,
  sizes: Sizes,
  parameters: ReadonlyMap<string, Tensor>,
  random: RandomStream,
) {
  const { time } = sizes;
  const stages = compileTraining(model, sizes);
  const weights = uploadAll(parameters);
  const executor = new Executor(stages.gradients, kernels, new Letters(), weights);

  const errors: number[] = [];
  const reference = new Map(
    [...parameters].map(([path, x]) => [path, tensor(x.axes, x.data.slice())]),
  );
  const moments = new Map(
    [...parameters].map(([path, x]) => [path, [tensor(x.axes), tensor(x.axes)] as const]),
  );
  const gpuMoments = new Map(
    [...parameters].map(([path, x]) => [
      path,
      [upload(tensor(x.axes)), upload(tensor(x.axes))] as const,
    ]),
  );
  let values = { error: 0, name: "" };
  for (let step = 1; step <= 3; step += 1) {
    const documents = needsWholeRows(label) ? 0 : 0.2;
    const { inputs } = batchFor(model, 2, time, random, documents);
    const expected = interpret(stages.differentiated, "main", inputs, reference);
    const given = uploadAll(inputs);
    const made = executor.run(given);
    free(given.values());
    for (const [path, x] of parameters) {
      const gradient = made.outputs.get(`grad.${path}`);
      const own = expected.outputs.get(`grad.${path}`);
      if (!gradient || !own) continue;
      const [m, v] = moments.get(path)!;
      const scalarOf = (value: number): Tensor => tensor([], Float64Array.of(value));
      const next = definitions.adamw(
        adamw,
        [reference.get(path)!, own, m, v, scalarOf(rate), scalarOf(step)],
        [],
      );
      reference.set(path, next[0]!);
      moments.set(path, [next[1]!, next[2]!]);
      const [gm, gv] = gpuMoments.get(path)!;
      const [p2, m2, v2] = kernels.adamw(
        { ...adamw, rate, step, scale: 1 },
        weights.get(path)!,
        gradient,
        gm,
        gv,
      );
      free([weights.get(path)!, gm, gv]);
      weights.set(path, p2);
      gpuMoments.set(path, [m2, v2]);
      void x;
    }
    for (const [path, x] of expected.updates) reference.set(path, x);
    for (const [path, x] of made.updates) {
      weights.get(path)!.dispose();
      weights.set(path, x);
    }
    expected.outputs.delete("prediction");
    const outputs = await download(made.outputs);
    const metrics = await download(made.metrics);
    if (step === 1)
      values = worst(
        new Map([...outputs, ...metrics]),
        new Map([...expected.outputs, ...expected.metrics]),
        1e-4,
      );
    errors.push(relativeError(outputs.get("loss")!.data, expected.outputs.get("loss")!.data));
  }
  for (const pair of gpuMoments.values()) free(pair);

  return { gradients: values.error, worst: values.name, steps: Math.max(...errors), weights };
}

/** How far the recurrent form, token by token, is from the definition of the whole sequence. */
async function tokenByToken(
  model: Model,
  weights: ReadonlyMap<string, TfTensor>,
  final: Map<string, Tensor>,
  random: RandomStream,
): Promise<number> {
  const { batch, inputs } = randomBatch(model.vocabulary!, 1, 6, random);
  const whole = interpret(
    compileTraining(model, { batch, time: 6 }).lowered,
    "main",
    inputs,
    final,
  ).outputs;
  const { program, carried } = compileDecoding(model, 6);
  const decoder = new Executor(program, kernels, new Letters(), weights);
  let states = uploadAll(
    new Map(
      carried.map(({ name: key, axes, initial }) => [
        key,
        tensor(axes, tensor(axes).data.fill(initial)),
      ]),
    ),
  );
  const logits: number[] = [];
  for (let t = 0; t < 6; t += 1) {
    const one = (key: string): Tensor =>
      tensor(
        [
          { name: "batch", size: 1 },
          { name: "time", size: 1 },
        ],
        Float64Array.of(inputs.get(key)!.data[t]!),
      );
    const now = uploadAll(
      new Map([
        ["tokens", one("tokens")],
        ["positions", one("positions")],
      ]),
    );
    const { outputs } = decoder.run(new Map([...now, ...states]));
    free([...now.values(), ...states.values()]);
    logits.push(...(await outputs.get("prediction")!.data()));
    outputs.get("prediction")!.dispose();
    states = new Map(carried.map(({ name: key }) => [key, outputs.get(key)!]));
  }
  free(states.values());
  return relativeError(logits, whole.get("prediction")!.data);
}

/** How far the forecast of evaluation is from the definition. */
async function forecasting(
  model: Model,
  weights: ReadonlyMap<string, TfTensor>,
  final: Map<string, Tensor>,
  random: RandomStream,
): Promise<number> {
  const { batch, time, inputs } = batchFor(model, 3, 1, random);
  const { lowered, evaluation } = compileTraining(model, { batch, time });
  const expected = interpret(lowered, "main", inputs, final).outputs.get("prediction")!;
  const given = uploadAll(inputs);
  const { outputs } = new Executor(evaluation, kernels, new Letters(), weights).run(given);
  free(given.values());
  const made = await outputs.get("prediction")!.data();
  free(outputs.values());
  return relativeError(made, expected.data);
}

for (const [label, text] of modelCases.slice(0, Number(most))) {
  const model = modelOf(text);
  const random = new RandomStream(7, label);
  const sizes = { batch: 2, time: timeOf(model, Number(length)), packed: !needsWholeRows(label) };
  const parameters = randomParameters(model, random);
  const before = tf.memory().numTensors;
  const steps = backend.recorder
    ? {
        ...(await recordedSteps(backend, model, sizes, parameters, random)),
        weights: uploadAll(parameters),
      }
    : await plainSteps(label, model, sizes, parameters, random);
  const { weights } = steps;

  const final = new Map<string, Tensor>();
  for (const [path, x] of parameters)
    final.set(path, tensor(x.axes, Float64Array.from(await weights.get(path)!.data())));
  const predicting = model.window ? forecasting : tokenByToken;
  const decoding = await predicting(model, weights, final, random);
  free(weights.values());
  const byMuon = muonCases.has(label)
    ? await recordedSteps(backend, model, { ...sizes, time: 3 }, parameters, random, "muon")
    : null;
  const leaked = tf.memory().numTensors - before;
  const line = {
    label,
    gradients: steps.gradients,
    worst: steps.worst,
    steps: steps.steps,
    muon: byMuon && { ...byMuon },
    decoding,
    leaked,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
process.exit(0); // Dawn keeps a process alive
