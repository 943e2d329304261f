/** TensorFlow itself, through `@tensorflow/tfjs-node-gpu` or `@tensorflow/tfjs-node`; in Node only. */

import { type Candidate, inNode, messageOf, missing } from "./candidate.js";

function native(name: "node-gpu" | "node", packageName: string): Candidate {
  return {
    name,
    async start(tf) {
      if (!inNode) return missing("TensorFlow for Node does not run in a browser", "use webgpu or wasm");
      const { findNative, loadNative } = await import("../native/load.node.js");
      const found = findNative(packageName);
      const remedy = name === "node-gpu" ? 'run "lsm setup native"' : 'run "lsm setup native", and use node-gpu';
      if (!found) return missing("no TensorFlow for Node found", `${remedy} for it`);
      try {
        const version = loadNative(found);
        if (!(await tf.setBackend("tensorflow"))) throw new Error("tfjs could not start it");
        return { started: true, what: `${name} (TensorFlow ${version})` };
      } catch (fault) {
        return missing(`${packageName} in ${found.directory} does not load: ${messageOf(fault)}`, `${remedy} to build it anew`);
      }
    },
  };
}

export const nodeGpu = native("node-gpu", "@tensorflow/tfjs-node-gpu");
export const node = native("node", "@tensorflow/tfjs-node");
