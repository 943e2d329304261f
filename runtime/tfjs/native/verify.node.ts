/** Proves a built binding by a matmul, in a process of its own so that a crash is only an answer. */

import { runTool } from "./tool.node.js";

export interface Proof {
  readonly tensorflow: string; // version
  readonly gflops: number;
}

const script = `
const util = require("node:util");
util.isNullOrUndefined ??= (value) => value === null || value === undefined;
const tf = require(process.argv[1]);
tf.enableProdMode();
const n = 512;
const a = tf.randomUniform([n, n], -1, 1, "float32", 1);
const product = tf.matMul(a, tf.eye(n));
const error = tf.max(tf.abs(tf.sub(product, a))).dataSync()[0];
if (!(error < 1e-6)) throw new Error("its matmul is wrong by " + error);
const start = performance.now();
const rounds = 8;
for (let i = 0; i < rounds; i++) tf.matMul(a, a).dataSync();
const seconds = (performance.now() - start) / 1000;
const gflops = (rounds * 2 * n ** 3) / seconds / 1e9;
console.log("proof " + JSON.stringify({ tensorflow: tf.backend().binding.TF_Version, gflops }));
`;

/** Throws `ToolFailed` when the package does not work. */
export async function verify(packageDirectory: string): Promise<Proof> {
  const output = await runTool(process.execPath, ["-e", script, packageDirectory], {
    env: { TF_CPP_MIN_LOG_LEVEL: "2" },
  });
  const line = output.split("\n").find((one) => one.startsWith("proof "));
  return JSON.parse((line ?? "").slice("proof ".length)) as Proof;
}
