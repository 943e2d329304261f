/**
 * tfjs's WebAssembly heap as our kernels use it: addresses of tensors, new tensors, memory of our own.
 *
 * An allocation may grow the memory, which detaches every typed-array view made before (addresses stay
 * valid): take views after the last allocation of a kernel, through `f32`, `i32` and `u8`.
 */

import type { DataType, Tensor, TensorInfo } from "@tensorflow/tfjs";
import type { Tf } from "../generic/context.js";
import { threadsWanted } from "./threads/count.js";
import { solo, type SplitKernel, type Team } from "./threads/team.js";

/** The parts of tfjs-backend-wasm 4.22.0 that we rely on; none of them is public. */
interface WasmBackend {
  readonly wasm: {
    readonly asm: { readonly memory: WebAssembly.Memory };
    _malloc(bytes: number): number;
    _free(address: number): void;
  };
  readonly dataIdMap: { get(dataId: object): { readonly memoryOffset: number } };
  makeOutput(shape: number[], dtype: DataType): TensorInfo;
  incRef(dataId: object): void;
}

/** Starts threads over a shared memory; null where there are none to start. */
export type StartTeam = (memory: WebAssembly.Memory, size: number) => Team;

export type KernelFunction = (...values: number[]) => void;

const alignment = 64;

export class Heap {
  readonly #backend: WasmBackend;
  readonly #engine: ReturnType<Tf["engine"]>;
  readonly #memory: WebAssembly.Memory;
  readonly #tables = new Map<string, number>();
  #f32 = new Float32Array(0);
  #i32 = new Int32Array(0);
  #u8 = new Uint8Array(0);
  #scratch = { raw: 0, bytes: 0 };

  /** The threads that share kernels over this heap. */
  readonly team: Team;

  constructor(tf: Tf, startTeam: StartTeam | null) {
    this.#backend = tf.backend() as unknown as WasmBackend;
    this.#engine = tf.engine();
    this.#memory = this.#backend.wasm.asm.memory;
    const threads = this.shared ? threadsWanted() : 1;
    this.team = startTeam && threads > 1 ? startTeam(this.#memory, threads) : solo;
  }

  /** The whole heap as floats; index by `address / 4`. */
  get f32(): Float32Array {
    if (this.#f32.buffer !== this.#memory.buffer) this.#f32 = new Float32Array(this.#memory.buffer);
    return this.#f32;
  }

  get i32(): Int32Array {
    if (this.#i32.buffer !== this.#memory.buffer) this.#i32 = new Int32Array(this.#memory.buffer);
    return this.#i32;
  }

  get u8(): Uint8Array {
    if (this.#u8.buffer !== this.#memory.buffer) this.#u8 = new Uint8Array(this.#memory.buffer);
    return this.#u8;
  }

  get shared(): boolean {
    return (
      typeof SharedArrayBuffer !== "undefined" && this.#memory.buffer instanceof SharedArrayBuffer
    );
  }

  address(tensor: Tensor): number {
    return this.#backend.dataIdMap.get(tensor.dataId).memoryOffset;
  }

  /** A new tensor, its contents undefined. */
  output(shape: readonly number[], dtype: DataType = "float32"): Tensor {
    const info = this.#backend.makeOutput(shape as number[], dtype);
    // tfjs does not look at malloc's answer: a full heap would be overwritten from address 0.
    if (this.#backend.dataIdMap.get(info.dataId).memoryOffset === 0) throw outOfMemory();
    return this.#engine.makeTensorFromTensorInfo(info);
  }

  /** A new tensor over the same data, counted as tfjs counts its own reshapes. */
  view(tensor: Tensor, shape: readonly number[]): Tensor {
    this.#backend.incRef(tensor.dataId);
    const info = { dataId: tensor.dataId, shape: shape as number[], dtype: tensor.dtype };
    return this.#engine.makeTensorFromTensorInfo(info);
  }

  /** Working memory for the kernel now running; its contents and address last until the next call. */
  scratch(bytes: number): number {
    if (bytes > this.#scratch.bytes) {
      if (this.#scratch.raw !== 0) this.#backend.wasm._free(this.#scratch.raw);
      this.#scratch = { raw: this.#allocate(bytes), bytes };
    }
    return align(this.#scratch.raw);
  }

  /** The address of a table that stays for ever; equal keys share one. */
  table(key: string, make: () => Int32Array): number {
    const known = this.#tables.get(key);
    if (known !== undefined) return known;
    const values = make();
    const address = align(this.#allocate(4 * values.length));
    this.i32.set(values, address / 4);
    this.#tables.set(key, address);
    return address;
  }

  /** Instantiates a module over the heap; its exports take and return nothing but numbers. */
  instantiate(bytes: Uint8Array<ArrayBuffer>): Readonly<Record<string, KernelFunction>> {
    return this.#instance(new WebAssembly.Module(bytes));
  }

  /** An exported function that all threads of the team can run a part of. */
  splittable(bytes: Uint8Array<ArrayBuffer>, name: string): SplitKernel {
    const module = new WebAssembly.Module(bytes);
    return this.team.enlist(module, name, this.#instance(module)[name]!);
  }

  #instance(module: WebAssembly.Module): Readonly<Record<string, KernelFunction>> {
    const imports = { env: { memory: this.#memory } };
    return new WebAssembly.Instance(module, imports).exports as Record<string, KernelFunction>;
  }

  #allocate(bytes: number): number {
    const address = this.#backend.wasm._malloc(bytes + alignment) >>> 0;
    if (address === 0) throw outOfMemory();
    return address;
  }
}

const align = (address: number): number => Math.ceil(address / alignment) * alignment;

function outOfMemory(): Error {
  return new Error(
    "the WebAssembly heap of tfjs is full (it holds at most 4 GB); use a smaller batch",
  );
}
