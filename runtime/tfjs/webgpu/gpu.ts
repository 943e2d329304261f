/** The parts of WebGPU that we use, as types: neither TypeScript's DOM library nor Node has all of them. */

export interface GpuBuffer {
  readonly size: number;
  mapAsync(mode: number): Promise<void>;
  getMappedRange(offset?: number, size?: number): ArrayBuffer;
  unmap(): void;
  destroy(): void;
}

/** Made by one device, given back to it; nothing in them is for us. */
export type ShaderModule = object & { readonly __kind?: "shader" };
export type Pipeline = object & { readonly __kind?: "pipeline" };
export type BindGroup = object & { readonly __kind?: "group" };
export type BindGroupLayout = object & { readonly __kind?: "layout" };
export type CommandBuffer = object & { readonly __kind?: "commands" };

export interface ComputePass {
  setPipeline(pipeline: Pipeline): void;
  setBindGroup(index: number, group: BindGroup): void;
  dispatchWorkgroups(x: number, y?: number): void;
  end(): void;
}

export interface CommandEncoder {
  beginComputePass(): ComputePass;
  copyBufferToBuffer(
    from: GpuBuffer,
    fromOffset: number,
    to: GpuBuffer,
    toOffset: number,
    size: number,
  ): void;
  finish(): CommandBuffer;
}

interface PipelineDescriptor {
  readonly layout: object;
  readonly compute: { readonly module: ShaderModule; readonly entryPoint: string };
}

export interface Device {
  readonly limits: Readonly<Record<string, number>>;
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  readonly queue: {
    submit(buffers: readonly CommandBuffer[]): void;
    onSubmittedWorkDone(): Promise<void>;
    writeBuffer(buffer: GpuBuffer, offset: number, data: ArrayBufferView): void;
  };
  createBuffer(descriptor: { readonly size: number; readonly usage: number }): GpuBuffer;
  createShaderModule(descriptor: { readonly code: string }): ShaderModule;
  createBindGroupLayout(descriptor: { readonly entries: readonly object[] }): BindGroupLayout;
  createPipelineLayout(descriptor: {
    readonly bindGroupLayouts: readonly BindGroupLayout[];
  }): object;
  createComputePipeline(descriptor: PipelineDescriptor): Pipeline;
  createComputePipelineAsync(descriptor: PipelineDescriptor): Promise<Pipeline>;
  createBindGroup(descriptor: {
    readonly layout: BindGroupLayout;
    readonly entries: readonly object[];
  }): BindGroup;
  createCommandEncoder(): CommandEncoder;
  addEventListener(
    type: "uncapturederror",
    listener: (event: { readonly error: { readonly message: string } }) => void,
  ): void;
  destroy(): void;
}

export interface AdapterInfo {
  readonly vendor?: string;
  readonly architecture?: string;
  readonly device?: string;
  readonly description?: string;
}

export interface Adapter {
  readonly info?: AdapterInfo;
  readonly isFallbackAdapter?: boolean;
  readonly limits: Readonly<Record<string, number>>;
  requestDevice(descriptor: {
    readonly requiredLimits: Readonly<Record<string, number>>;
  }): Promise<Device>;
}

export interface Gpu {
  requestAdapter(options?: { readonly powerPreference: string }): Promise<Adapter | null>;
}

/** GPUBufferUsage and GPUMapMode, which are globals in browsers only. */
export const usage = {
  mapRead: 0x1,
  copySource: 0x4,
  copyTarget: 0x8,
  uniform: 0x40,
  storage: 0x80,
} as const;
export const mapRead = 1;
export const computeStage = 4;
