/** TensorFlow itself, through `@tensorflow/tfjs-node-gpu` or `@tensorflow/tfjs-node`; in Node only. */

import { type Candidate, inNode, messageOf, missing } from "./candidate.js";

const remedies = {
  "node-gpu": 'run "lsm setup native" for it',
  node: 'run "npm install @tensorflow/tfjs-node@4.22.0", or "lsm setup native" and use node-gpu',
};

function native(name: "node-gpu" | "node", packageName: string): Candidate {
  return {
    name,
    async start(tf, asked) {
      if (!inNode)
        return missing("TensorFlow for Node does not run in a browser", "use webgpu or wasm");
      const { findNative, hasGpu, loadNative } = await import("../native/load.node.js");
      // On a CPU it trains faster than our WebAssembly kernels (docs/performance.md), but takes seconds to start, so
      // without a GPU it is for who asks for it.
      if (!asked && !hasGpu())
        return missing(
          "no NVIDIA GPU here",
          "on a CPU lsm's own WebAssembly kernels serve every model well",
        );
      const found = findNative(packageName);
      if (!found)
        return missing(
          `${name === "node" ? "no tfjs-node" : "no TensorFlow for Node"} found`,
          remedies[name],
        );
      try {
        loadNative(found);
        if (!(await tf.setBackend("tensorflow"))) throw new Error("tfjs could not start it");
        const { binding } = tf.backend() as unknown as {
          readonly binding: { readonly TF_Version: string };
        };
        return { started: true, what: `${name} (TensorFlow ${binding.TF_Version})` };
      } catch (fault) {
        return missing(
          `${packageName} in ${found.directory} does not load: ${messageOf(fault)}`,
          remedies[name],
        );
      }
    },
  };
}

export const nodeGpu = native("node-gpu", "@tensorflow/tfjs-node-gpu");
export const node = native("node", "@tensorflow/tfjs-node");
