/** WebAssembly: the default everywhere. In Node its binaries come from node_modules, so no network is needed. */

import { type Candidate, inNode, messageOf, missing } from "./candidate.js";

export const wasm: Candidate = {
  name: "wasm",
  async start(tf) {
    try {
      const backend = await import("@tensorflow/tfjs-backend-wasm");
      if (inNode) (await import("./wasm-node.node.js")).prepareWasm(backend);
      if (!(await tf.setBackend("wasm"))) throw new Error("tfjs could not start it");
      const simd = await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT");
      return { started: true, what: simd ? "wasm (SIMD)" : "wasm (no SIMD on this machine)" };
    } catch (fault) {
      return missing(
        `the WebAssembly backend does not start: ${messageOf(fault)}`,
        'run "npm ci" to install it again',
      );
    }
  },
};
