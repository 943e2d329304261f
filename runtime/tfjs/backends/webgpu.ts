/**
 * WebGPU: the browser's own, or in Node Dawn from the optional npm package `webgpu`.
 *
 * The device is ours, and so is every kernel: of tfjs only its tensors are used (runtime/tfjs/webgpu).
 * Software adapters (SwiftShader, llvmpipe) prove correctness but are far slower than WebAssembly, so they are
 * taken only when asked for.
 */

import type { Adapter, AdapterInfo, Gpu } from "../webgpu/gpu.js";
import { type Candidate, inNode, messageOf, missing } from "./candidate.js";

export const webgpu: Candidate = {
  name: "webgpu",
  async start(tf, asked) {
    try {
      if (inNode) {
        const dawn = await import("./webgpu-dawn.node.js");
        // Dawn complains on the terminal where there is no driver, so it is not even asked.
        if (!asked && !dawn.mayHaveGpu()) return missing("no GPU here", "use wasm");
        if (!(await dawn.provideNavigator()))
          return missing(
            "there is no WebGPU in Node without the package webgpu",
            'run "npm install webgpu@0.6.2"',
          );
      }
      const gpu = (globalThis.navigator as unknown as { gpu?: Gpu } | undefined)?.gpu;
      const adapter = await gpu?.requestAdapter({ powerPreference: "high-performance" });
      if (!adapter)
        return missing("there is no WebGPU adapter", "use wasm, or install a Vulkan driver");
      const { info = {} } = adapter;
      const label =
        info.description ||
        info.device ||
        [info.vendor, info.architecture].filter(Boolean).join(" ");
      if (!asked && isSoftware(adapter))
        return missing(
          `the only WebGPU adapter is software (${label})`,
          'ask for it with "--backend webgpu"',
        );
      const [{ activate, openDevice }, { createWebGpuKernels }] = await Promise.all([
        import("../webgpu/device.js"),
        import("../webgpu/index.js"),
      ]);
      const device = await activate(tf, await openDevice(adapter));
      const what = `webgpu (${label || "unnamed adapter"})`;
      return { started: true, what, own: createWebGpuKernels(tf, device) };
    } catch (fault) {
      return missing(`WebGPU does not start: ${messageOf(fault)}`, "use wasm");
    }
  },
};

function isSoftware(adapter: Adapter): boolean {
  return (
    adapter.isFallbackAdapter === true ||
    /swiftshader|llvmpipe|lavapipe/i.test(JSON.stringify(describe(adapter.info)))
  );
}

/** The fields of an adapter's description: they are getters, so they do not show up by themselves. */
function describe(info: AdapterInfo = {}): AdapterInfo {
  const { vendor = "", architecture = "", device = "", description = "" } = info;
  return { vendor, architecture, device, description };
}
