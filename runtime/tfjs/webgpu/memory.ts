/**
 * The memory of tensors on a device: buffers that are used again when their tensor is gone, transfers, and the
 * one command encoder that launches are put into until someone wants to see a result.
 */

import { type CommandEncoder, type ComputePass, type Device, type GpuBuffer } from "./gpu.js";
import { mapRead, usage } from "./gpu.js";
import type { Launch, Storage } from "./launch.js";
import type { Pipelines } from "./pipelines.js";

const storageUsage = usage.storage | usage.copySource | usage.copyTarget;

/** Freed buffers are kept up to so many bytes: as much as a large batch's activations. */
const mostKept = 2 ** 30;

/** Sizes in steps, so that freed buffers fit tensors of nearly the same size. */
export function roundedSize(bytes: number): number {
  const step = bytes > 65536 ? 4096 : 256;
  return Math.ceil(Math.max(bytes, 4) / step) * step;
}

export class Memory {
  readonly #device: Device;
  readonly #pipelines: Pipelines;
  readonly #free = new Map<number, GpuBuffer[]>();
  #kept = 0;
  #encoder: CommandEncoder | null = null;
  #pass: ComputePass | null = null;
  #launches = 0;

  constructor(device: Device, pipelines: Pipelines) {
    this.#device = device;
    this.#pipelines = pipelines;
  }

  buffer(bytes: number): GpuBuffer {
    const size = roundedSize(bytes);
    const free = this.#free.get(size)?.pop();
    if (free) {
      this.#kept -= size;
      return free;
    }
    return this.#device.createBuffer({ size, usage: storageUsage });
  }

  release(buffer: GpuBuffer): void {
    const { size } = buffer;
    if (this.#kept + size > mostKept) {
      this.flush();
      buffer.destroy();
      return;
    }
    this.#kept += size;
    const free = this.#free.get(size);
    if (free) free.push(buffer);
    else this.#free.set(size, [buffer]);
  }

  /** Runs a kernel after all that were launched before it. */
  launch({ shader, storages, step, workgroups: [x, y] }: Launch): void {
    const pipeline = this.#pipelines.of(shader);
    const buffers = storages.map(({ buffer }) => buffer!);
    const group = this.#pipelines.group(shader, buffers, step);
    this.#encoder ??= this.#device.createCommandEncoder();
    this.#pass ??= this.#encoder.beginComputePass();
    this.#pass.setPipeline(pipeline);
    this.#pass.setBindGroup(0, group);
    this.#pass.dispatchWorkgroups(x, y);
    if (++this.#launches >= 256) this.flush(); // the GPU need not wait for the last one
  }

  copy(from: GpuBuffer, to: GpuBuffer, bytes: number): void {
    this.#endPass();
    this.#encoder ??= this.#device.createCommandEncoder();
    this.#encoder.copyBufferToBuffer(from, 0, to, 0, bytes);
  }

  /** After what was launched before, and before what comes. */
  write(buffer: GpuBuffer, data: ArrayBufferView): void {
    this.flush();
    this.#device.queue.writeBuffer(buffer, 0, data);
  }

  /** The first bytes of a storage, as they are after all launches so far. */
  async read({ buffer, bytes }: Storage): Promise<ArrayBuffer> {
    const staging = this.#device.createBuffer({
      size: bytes,
      usage: usage.mapRead | usage.copyTarget,
    });
    this.copy(buffer!, staging, bytes);
    this.flush();
    await staging.mapAsync(mapRead);
    const values = staging.getMappedRange().slice(0);
    staging.unmap();
    staging.destroy();
    return values;
  }

  flush(): void {
    this.#endPass();
    if (!this.#encoder) return;
    this.#device.queue.submit([this.#encoder.finish()]);
    this.#encoder = null;
    this.#launches = 0;
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = null;
  }
}
