/** Pipelines and bind-group layouts of a device, each made once. */

import type { BindGroup, BindGroupLayout, Device, GpuBuffer, Pipeline } from "./gpu.js";
import { computeStage, usage } from "./gpu.js";
import type { Access, Shader } from "./launch.js";

/** Every value that a step uniform takes lies in one buffer, as far apart as offsets must be. */
const stepAlignment = 256;

interface Layout {
  readonly group: BindGroupLayout;
  readonly pipeline: object;
}

export class Pipelines {
  readonly #device: Device;
  readonly #layouts = new Map<string, Layout>();
  readonly #pipelines = new Map<string, Pipeline>();
  #steps: { readonly buffer: GpuBuffer; readonly count: number } | null = null;

  constructor(device: Device) {
    this.#device = device;
  }

  /** At once; waits for the driver's compiler when the shader is new. */
  of(shader: Shader): Pipeline {
    const known = this.#pipelines.get(shader.code);
    if (known) return known;
    const made = this.#device.createComputePipeline(this.#describe(shader));
    this.#pipelines.set(shader.code, made);
    return made;
  }

  /** Compiles whatever is new among these, side by side. */
  async prepare(shaders: Iterable<Shader>): Promise<void> {
    const fresh = new Map<string, Shader>();
    for (const shader of shaders)
      if (!this.#pipelines.has(shader.code)) fresh.set(shader.code, shader);
    await Promise.all(
      [...fresh.values()].map(async (shader) => {
        const made = await this.#device.createComputePipelineAsync(this.#describe(shader));
        this.#pipelines.set(shader.code, made);
      }),
    );
  }

  group(shader: Shader, buffers: readonly GpuBuffer[], step: number): BindGroup {
    const entries: object[] = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
    if (shader.stepped)
      entries.push({
        binding: buffers.length,
        resource: { buffer: this.#stepTable(step), offset: step * stepAlignment, size: 16 },
      });
    return this.#device.createBindGroup({ layout: this.#layout(shader).group, entries });
  }

  #describe(shader: Shader) {
    return {
      layout: this.#layout(shader).pipeline,
      compute: {
        module: this.#device.createShaderModule({ code: shader.code }),
        entryPoint: "main",
      },
    };
  }

  #layout({ access, stepped }: Shader): Layout {
    const key = access.join() + String(stepped);
    const known = this.#layouts.get(key);
    if (known) return known;
    const typeOf = (one: Access) => (one === "read" ? "read-only-storage" : "storage");
    const types = [...access.map(typeOf), ...(stepped ? ["uniform"] : [])];
    const group = this.#device.createBindGroupLayout({
      entries: types.map((type, binding) => ({
        binding,
        visibility: computeStage,
        buffer: { type },
      })),
    });
    const pipeline = this.#device.createPipelineLayout({ bindGroupLayouts: [group] });
    const layout = { group, pipeline };
    this.#layouts.set(key, layout);
    return layout;
  }

  /** A buffer in which the number `step` lies at its own place. Old ones live on in the groups that use them. */
  #stepTable(step: number): GpuBuffer {
    if (this.#steps && step < this.#steps.count) return this.#steps.buffer;
    const count = Math.max(128, 2 ** Math.ceil(Math.log2(step + 1)));
    const values = new Uint32Array((count * stepAlignment) / 4);
    for (let i = 0; i < count; i++) values[(i * stepAlignment) / 4] = i;
    const buffer = this.#device.createBuffer({
      size: values.byteLength,
      usage: usage.uniform | usage.copyTarget,
    });
    this.#device.queue.writeBuffer(buffer, 0, values);
    this.#steps = { buffer, count };
    return buffer;
  }
}
