/**
 * Peer: the same model written by hand in plain tfjs with tfjs's gradients, on tfjs's WebAssembly backend.
 * Gated linear attention in chunks of 32 tokens, as in torch_peer.py. Argument: the case's folder.
 *
 * Every expert sees every token, and those that were not chosen count 0 times: tfjs has no gradient for gathering rows on
 * WebAssembly, and a product with one-hot rows for each expert's tokens costs more than the experts do at these sizes.
 */

import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { wasmPath } from "../../../runtime/tfjs/backends/wasm-path.node.js";
import { clip, optimizer, vocabulary } from "./cases.js";
import { serve } from "./serve.js";
import { readCase } from "./weights.js";

const chunk = 32;
const { bench, weights, tokens, targets } = readCase(process.argv[2]!);
const { width, blocks, heads, experts, topK, batch, time } = bench;
const [key, value, chunks] = [width / 2 / heads, width / heads, time / chunk];

setWasmPaths(wasmPath());
tf.enableProdMode();
await tf.setBackend("wasm");

const parameters = new Map(
  [...weights].map(([path, { data, shape }]) => {
    // heads stay within the columns of a matrix here
    const columns = path.includes(".out.linear.") ? width : undefined;
    const joined = shape.length > 2 && !path.includes(".routed.");
    const flat = joined ? [columns ? width : shape[0]!, columns ?? -1] : [...shape];
    return [path, tf.variable(tf.tensor(data).reshape(flat))];
  }),
);
const parameter = (path: string): tf.Tensor => parameters.get(path)!;
const matrix = (path: string): tf.Tensor2D => parameter(path) as tf.Tensor2D;

const lower = tf.linalg.bandPart(tf.ones([chunk, chunk]), -1, 0) as tf.Tensor2D;
const mask = lower.expandDims(0);
const oneHotTokens = tf.oneHot(tf.tensor1d(tokens, "int32"), vocabulary).toFloat() as tf.Tensor2D;
const oneHotTargets = tf.oneHot(tf.tensor1d(targets, "int32"), vocabulary).toFloat();

const rms = (x: tf.Tensor, gain: tf.Tensor): tf.Tensor =>
  x.mul(tf.rsqrt(x.square().mean(-1, true).add(1e-6))).mul(gain);
const silu = (x: tf.Tensor): tf.Tensor => x.mul(tf.sigmoid(x));

/** [batch · time, heads · size] → [batch · heads · chunks, chunk, size] */
const split = (x: tf.Tensor, size: number): tf.Tensor3D =>
  x
    .reshape([batch, time, heads, size])
    .transpose([0, 2, 1, 3])
    .reshape([batch * heads * chunks, chunk, size]);

/** The running sum inside each chunk, as a product: tfjs has no gradient for it off the last axis. */
function cumulated(g: tf.Tensor3D): tf.Tensor3D {
  const columns = g.transpose([1, 0, 2]).reshape([chunk, -1]) as tf.Tensor2D;
  const sums = tf.matMul(lower, columns).reshape([chunk, -1, key]);
  return sums.transpose([1, 0, 2]) as tf.Tensor3D;
}

function gla(x: tf.Tensor2D, path: string): tf.Tensor {
  const project = (name: string): tf.Tensor => tf.matMul(x, matrix(`${path}.${name}.weight`));
  const q = split(project("q").mul(key ** -0.5), key);
  const k = split(project("k"), key);
  const v = split(project("v"), value);
  const low = project("a.down") as tf.Tensor2D;
  const gate = tf
    .matMul(low, matrix(`${path}.a.up.weight`))
    .add(parameter(`${path}.a.up.offset`).reshape([-1]));
  const g = split(tf.neg(tf.softplus(tf.neg(gate))).div(16), key);
  const c = cumulated(g);
  const last = c.slice([0, chunk - 1, 0], [-1, 1, -1]);
  const decayed = q.mul(c.exp()) as tf.Tensor3D;
  const scores = tf
    .matMul(decayed, k.mul(tf.exp(tf.neg(c))) as tf.Tensor3D, false, true)
    .mul(mask) as tf.Tensor3D;
  const added = tf
    .matMul(k.mul(tf.exp(last.sub(c))) as tf.Tensor3D, v, true, false)
    .reshape([batch * heads, chunks, key, value]);
  const decay = last.exp().reshape([batch * heads, chunks, key, 1]);
  let state: tf.Tensor = tf.zeros([batch * heads, key, value]);
  const states: tf.Tensor[] = [];
  const [additions, decays] = [tf.unstack(added, 1), tf.unstack(decay, 1)];
  for (let n = 0; n < chunks; n++) {
    states.push(state);
    state = state.mul(decays[n]!).add(additions[n]!);
  }
  const before = tf.stack(states, 1).reshape([-1, key, value]) as tf.Tensor3D;
  const o = tf.add(tf.matMul(scores, v), tf.matMul(decayed, before));
  const joined = rms(o, parameter(`${path}.out.rmsnorm.weight`))
    .reshape([batch, heads, time, value])
    .transpose([0, 2, 1, 3])
    .reshape([batch * time, width]);
  return tf.matMul(
    joined.mul(silu(project("gate"))) as tf.Tensor2D,
    matrix(`${path}.out.linear.weight`),
  );
}

/** Silu-gated, as [width, hidden], [width, hidden], [hidden, width]. */
function swiglu(x: tf.Tensor2D, [gate, up, down]: readonly tf.Tensor2D[]): tf.Tensor {
  const gated = silu(tf.matMul(x, gate!)).mul(tf.matMul(x, up!)) as tf.Tensor2D;
  return tf.matMul(gated, down!);
}

/** 1 at the largest of each row, else 0; tfjs has no gradient for topk, and none is needed. */
const chosen = tf.customGrad((x) => ({
  value: tf.tidy(() =>
    tf
      .oneHot(tf.topk(x as tf.Tensor, topK).indices, experts)
      .toFloat()
      .sum(1),
  ),
  gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy),
}));

function mixture(x: tf.Tensor2D, path: string): tf.Tensor {
  const probabilities = tf.softmax(tf.matMul(x, matrix(`${path}.router.weight`)));
  const kept = probabilities.mul(chosen(probabilities));
  const weights = kept.div(kept.sum(-1, true));
  const shares = tf.split(weights, experts, 1);
  const own = ["gate", "up", "down"].map((name) =>
    tf.unstack(parameter(`${path}.routed.${name}.weight`)),
  );
  return tf.addN(
    shares.map((share, e) =>
      swiglu(
        x,
        own.map((one) => one[e] as tf.Tensor2D),
      ).mul(share),
    ),
  );
}

function loss(): tf.Scalar {
  let x: tf.Tensor = tf.matMul(oneHotTokens, matrix("table"));
  for (let i = 0; i < blocks; i++) {
    const block = `blocks.${i}`;
    const h = rms(x, parameter(`${block}.mixer_norm.weight`)) as tf.Tensor2D;
    x = x.add(gla(h, `${block}.mixer`));
    const f = rms(x, parameter(`${block}.ffn_norm.weight`)) as tf.Tensor2D;
    const own = ["gate", "up", "down"].map((name) => `${block}.ffn.${name}.weight`);
    x = x.add(experts > 0 ? mixture(f, `${block}.ffn`) : swiglu(f, own.map(matrix)));
  }
  const logits = tf.matMul(
    rms(x, parameter("norm.weight")) as tf.Tensor2D,
    matrix("logits.weight"),
  );
  return tf.neg(oneHotTargets.mul(tf.logSoftmax(logits)).sum(-1)).mean() as tf.Scalar;
}

const adam = tf.train.adam(optimizer.lr, ...optimizer.betas, optimizer.epsilon);
await serve(async () => {
  const { value: result, grads } = tf.variableGrads(loss);
  const clipped = tf.tidy(() => {
    const squares = Object.values(grads).map((g) => g.square().sum());
    const norm = tf.sqrt(tf.addN(squares));
    const scale = tf.div(clip, tf.maximum(norm, clip));
    return Object.fromEntries(Object.entries(grads).map(([name, g]) => [name, g.mul(scale)]));
  });
  adam.applyGradients(clipped as unknown as Parameters<typeof adam.applyGradients>[0]); // its type hides that maps are taken, too
  const measured = (await result.data())[0]!;
  tf.dispose([result, grads, clipped]);
  return measured;
});
