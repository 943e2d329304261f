/** The recorder of the WebGPU backend: a recording is one command buffer. */

import type { Tensor } from "@tensorflow/tfjs";
import type { Products } from "../../muon.js";
import type { Recorder, Recording, UpdateHandle } from "../../recorder.js";
import type { OptimizerSettings } from "../../train/settings.js";
import type { ParameterSpec } from "../../train/trainable.js";
import type { Kernels } from "../kernel.js";
import type { Maps } from "../map/map.js";
import { elementwise } from "../wgsl/shader.js";
import { type Replay, Tape } from "./tape.js";
import { GpuUpdate } from "./update.js";

/** What a recording tells beyond what any backend's does. */
export interface GpuRecording<Result> extends Recording<Result> {
  readonly replay: Replay;
}

export class GpuRecorder implements Recorder {
  constructor(
    readonly kernels: Kernels,
    private readonly maps: Maps,
    private readonly products: Products,
    private readonly zeros: (size: number) => Tensor,
  ) {}

  async record<Result>(work: () => Result): Promise<GpuRecording<Result>> {
    const { gpu } = this.kernels;
    const tape = new Tape();
    let result: Result;
    gpu.tape = tape;
    try {
      result = work();
    } finally {
      gpu.tape = null;
    }
    const replay = await tape.finish(gpu);
    return {
      result,
      replay,
      run: () => {
        replay.run();
      },
      free: () => {
        replay.free();
      },
    };
  }

  overwrite(tensor: Tensor, values: Float32Array | Int32Array): void {
    this.kernels.gpu.overwrite(tensor, values);
  }

  assign(pairs: readonly (readonly [Tensor, Tensor])[]): void {
    const { gpu } = this.kernels;
    const targets = new Set(pairs.map(([target]) => gpu.storage(target)));
    // A source that is another's target would be overwritten before it is read.
    const staged = pairs.map(([, source]) =>
      targets.has(gpu.storage(source)) ? this.maps.copy(source) : null,
    );
    pairs.forEach(([target, source], i) => {
      const program = this.kernels.program(`assign ${target.size}`, () =>
        elementwise({
          bindings: [
            { name: "x", element: "u32", access: "read" },
            { name: "y", element: "u32", access: "write" },
          ],
          count: target.size,
          body: "y[i] = x[i];",
        }),
      );
      const storages = [staged[i] ?? source, target].map((tensor) => gpu.storage(tensor));
      this.kernels.run(program, storages);
    });
    for (const copy of staged) copy?.dispose();
  }

  prepareUpdate(parameters: readonly ParameterSpec[], optimizer: OptimizerSettings): UpdateHandle {
    return new GpuUpdate(this.kernels, this.products, this.zeros, parameters, optimizer);
  }
}
