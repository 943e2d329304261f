/** Launches in order, with the lives of the values between them; and the run of all as one command buffer. */

import type { Sink, WebGpu } from "../device.js";
import type { BindGroup, GpuBuffer, Pipeline } from "../gpu.js";
import type { Launch, Storage } from "../launch.js";
import { roundedSize } from "../memory.js";
import { planMemory } from "./plan.js";

/** What a command buffer is made of. */
export interface Prepared {
  readonly name: string;
  readonly pipeline: Pipeline;
  readonly group: BindGroup;
  readonly x: number;
  readonly y: number;
}

export class Tape implements Sink {
  readonly #launches: Launch[] = [];
  readonly #own = new Set<Storage>();
  readonly #released = new Set<Storage>();

  allocate(bytes: number): Storage {
    const storage = { bytes, buffer: null };
    this.#own.add(storage);
    return storage;
  }

  release(storage: Storage): void {
    if (!this.#own.has(storage)) throw new Error("what is recorded frees what it was given");
    this.#released.add(storage);
  }

  launch(launch: Launch): void {
    this.#launches.push(launch);
  }

  /** Compiles and places everything. */
  async finish(gpu: WebGpu): Promise<Replay> {
    const launches = this.#launches;
    const lives = new Map<Storage, { first: number; last: number }>();
    launches.forEach(({ storages }, i) => {
      for (const storage of storages) {
        if (!this.#own.has(storage)) continue;
        const life = lives.get(storage);
        if (life) life.last = i;
        else lives.set(storage, { first: i, last: i });
      }
    });
    for (const storage of this.#own) {
      if (this.#released.has(storage)) continue;
      lives.set(storage, { first: 0, last: launches.length }); // a result: read between runs
    }
    const storages = [...lives.keys()];
    const plan = planMemory(
      storages.map((storage) => ({ bytes: roundedSize(storage.bytes), ...lives.get(storage)! })),
    );
    const shared = plan.buffers.map((bytes) => gpu.memory.buffer(bytes));
    storages.forEach((storage, i) => {
      storage.buffer = shared[plan.places[i]!]!;
    });
    await gpu.pipelines.prepare(launches.map(({ shader }) => shader));
    if (gpu.fault !== null) throw new Error(`WebGPU: ${gpu.fault}`);
    const prepared = launches.map(
      ({ name, shader, storages: bound, step, workgroups: [x, y] }) => ({
        name,
        pipeline: gpu.pipelines.of(shader),
        group: gpu.pipelines.group(
          shader,
          bound.map(({ buffer }) => buffer!),
          step,
        ),
        x,
        y,
      }),
    );
    const results = new Set(
      storages.filter((one) => !this.#released.has(one)).map((one) => one.buffer!),
    );
    const intermediate = shared.filter((buffer) => !results.has(buffer));
    const bytes = plan.buffers.reduce((sum, one) => sum + one, 0);
    return new Replay(gpu, prepared, intermediate, { bytes, peak: plan.peak });
  }
}

export class Replay {
  readonly #gpu: WebGpu;
  readonly launches: readonly Prepared[];
  readonly #buffers: readonly GpuBuffer[];
  /** Bytes of all buffers, and the most that are in use at a time. */
  readonly memory: { readonly bytes: number; readonly peak: number };

  constructor(
    gpu: WebGpu,
    launches: readonly Prepared[],
    buffers: readonly GpuBuffer[],
    memory: Replay["memory"],
  ) {
    this.#gpu = gpu;
    this.launches = launches;
    this.#buffers = buffers;
    this.memory = memory;
  }

  run(): void {
    const { device, memory } = this.#gpu;
    memory.flush();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    let current: Pipeline | null = null;
    for (const { pipeline, group, x, y } of this.launches) {
      if (pipeline !== current) pass.setPipeline(pipeline);
      current = pipeline;
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(x, y);
    }
    pass.end();
    device.queue.submit([encoder.finish()]);
  }

  free(): void {
    for (const buffer of this.#buffers) this.#gpu.memory.release(buffer);
  }
}
