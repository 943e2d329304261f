/**
 * A training step of a compiled model beside the same model written by hand in plain tfjs with tfjs's own
 * gradients, both on tfjs's WebAssembly backend, in one run. Run by train-step.mjs; arguments: T, width.
 *
 * The model: four pre-norm blocks of linear attention (heads of 32, causal by the quadratic form with a
 * mask, as people write it) and SwiGLU, bytes, AdamW.
 */

import type * as TF from "@tensorflow/tfjs";
import { compileTraining } from "../../compiler/compile.js";
import { trainableFromPrograms } from "../../compiler/6-emit/tfjs/interpreted.js";
import { RandomStream } from "../../runtime/random/stream.js";
import { chooseBackend } from "../../runtime/tfjs/index.js";
import { modelOf, randomParameters } from "../support/models/instance.js";

const [time, width] = [Number(process.argv[2] ?? 256), Number(process.argv[3] ?? 128)];
const [batch, layers, head, repeats] = [4, 4, 32, 5];
const heads = width / head;
const hidden = 2 * width;
const model = modelOf(`model M {
  B = Block(LinearAttention(heads: ${heads}), swiglu(hidden: ${hidden}))
  language_model(vocab: 256, width: ${width}, blocks: [B] * ${layers})
}`);
const { tf, kernels } = await chooseBackend("wasm");
const random = new RandomStream(1, "bench");
const ids = (): Int32Array => Int32Array.from({ length: batch * time }, () => random.integer(256));
const tokens = tf.tensor(ids(), [batch, time], "int32");
const targets = tf.tensor(ids(), [batch, time], "int32");

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

async function timed(step: () => Promise<number>): Promise<{ ms: number; loss: number }> {
  let loss = await step(); // warm up
  const times: number[] = [];
  for (let i = 0; i < repeats; i += 1) {
    const start = performance.now();
    loss = await step();
    times.push(performance.now() - start);
  }
  return { ms: median(times), loss };
}

/** The compiled step: gradients, then AdamW by the fused kernel. */
async function compiled(): Promise<{ ms: number; loss: number; parameters: number }> {
  const stages = compileTraining(model, { batch, time });
  const trainable = trainableFromPrograms({ ...stages, name: "M", vocabulary: 256, batch, time });
  const start = randomParameters(model, new RandomStream(1, "weights"), 0.05);
  const weights: Record<string, TF.Tensor> = {};
  const moments: Record<string, [TF.Tensor, TF.Tensor]> = {};
  let parameters = 0;
  for (const [path, { axes, data }] of start) {
    const shape = axes.map(({ size }) => size);
    weights[path] = tf.tensor(Float32Array.from(data), shape);
    moments[path] = [tf.zeros(shape), tf.zeros(shape)];
    parameters += data.length;
  }
  const weight = tf.ones([batch, time]);
  const positions = tf.tensor(
    Float32Array.from({ length: batch * time }, (_, i) => i % time),
    [batch, time],
  );
  let count = 0;
  const options = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, decay: 0.1, rate: 1e-3, scale: 1 };
  const result = await timed(async () => {
    count += 1;
    const inputs = { tokens, targets, weights: weight, positions };
    const { loss, objective, gradients } = trainable.gradients(kernels, weights, inputs);
    for (const [path, gradient] of Object.entries(gradients)) {
      const [m, v] = moments[path]!;
      const [p, m2, v2] = kernels.adamw(
        { ...options, step: count },
        weights[path]!,
        gradient,
        m,
        v,
      );
      tf.dispose([weights[path]!, m, v, gradient]);
      weights[path] = p;
      moments[path] = [m2, v2];
    }
    const value = (await loss.data())[0]!;
    tf.dispose([loss, objective]);
    return value;
  });
  return { ...result, parameters };
}

/** The same model as one writes it in tfjs. */
async function byHand(): Promise<{ ms: number; loss: number }> {
  const normal = (shape: number[], deviation: number): TF.Variable =>
    tf.variable(tf.randomNormal(shape, 0, deviation, "float32", 1));
  const deviation = width ** -0.5;
  const table = normal([256, width], 0.02);
  const blocks = Array.from({ length: layers }, () => ({
    norm1: tf.variable(tf.ones([width])),
    q: normal([width, width], deviation),
    k: normal([width, width], deviation),
    v: normal([width, width], deviation),
    o: normal([width, width], deviation),
    normO: tf.variable(tf.ones([head])),
    norm2: tf.variable(tf.ones([width])),
    gate: normal([width, hidden], deviation),
    up: normal([width, hidden], deviation),
    down: normal([hidden, width], hidden ** -0.5),
  }));
  const norm = tf.variable(tf.ones([width]));
  const logits = normal([width, 256], deviation);
  const mask = tf.linalg.bandPart(tf.ones([time, time]), -1, 0);
  const rms = (x: TF.Tensor, gain: TF.Tensor): TF.Tensor =>
    x.mul(tf.rsqrt(x.square().mean(-1, true).add(1e-6))).mul(gain);
  const matmul = (x: TF.Tensor, w: TF.Tensor): TF.Tensor =>
    tf.matMul(x.reshape([batch * time, -1]), w as TF.Tensor2D).reshape([batch, time, -1]);
  const split = (x: TF.Tensor): TF.Tensor =>
    x.reshape([batch, time, heads, head]).transpose([0, 2, 1, 3]);
  const oneHot = tf.oneHot(tokens.reshape([-1]), 256).toFloat() as TF.Tensor2D;
  const wanted = tf.oneHot(targets.reshape([-1]), 256).toFloat();
  const optimizer = tf.train.adam(1e-3, 0.9, 0.95, 1e-8);
  return timed(async () => {
    const loss = optimizer.minimize(() => {
      let x: TF.Tensor = tf
        .matMul(oneHot, table as unknown as TF.Tensor2D)
        .reshape([batch, time, width]);
      for (const b of blocks) {
        const h = rms(x, b.norm1);
        const [q, k, v] = [b.q, b.k, b.v].map((w) => split(matmul(h, w))) as [
          TF.Tensor,
          TF.Tensor,
          TF.Tensor,
        ];
        const scores = tf.matMul(q.mul(head ** -0.5), k, false, true).mul(mask);
        const o = rms(tf.matMul(scores, v), b.normO)
          .transpose([0, 2, 1, 3])
          .reshape([batch, time, width]);
        x = x.add(matmul(o, b.o));
        const f = rms(x, b.norm2);
        const g = matmul(f, b.gate);
        x = x.add(matmul(g.mul(tf.sigmoid(g)).mul(matmul(f, b.up)), b.down));
      }
      const y = matmul(rms(x, norm), logits).reshape([batch * time, 256]);
      return tf.neg(wanted.mul(tf.logSoftmax(y)).sum(-1)).mean() as TF.Scalar;
    }, true)!;
    const value = (await loss.data())[0]!;
    loss.dispose();
    return value;
  });
}

const ours = await compiled();
const theirs = await byHand();
const row = (name: string, ms: number): string =>
  `${name.padEnd(28)} ${ms.toFixed(1).padStart(9)} ms ${((batch * time * 1000) / ms).toFixed(0).padStart(9)} tokens/s`;
process.stdout.write(
  `${ours.parameters} parameters, batch ${batch} × ${time} tokens, width ${width}, tfjs-wasm\n`,
);
process.stdout.write(`${row("plain tfjs, by hand", theirs.ms)}\n${row("compiled", ours.ms)}\n`);
process.stdout.write(`ratio ${(theirs.ms / ours.ms).toFixed(1)}×\n`);
