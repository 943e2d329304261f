/**
 * A device, and tensors on it: a backend of tfjs that holds and moves data, and computes nothing itself, since
 * every kernel is ours.
 */

import type { DataType, Tensor } from "@tensorflow/tfjs";
import type { Tf } from "../generic/context.js";
import { product } from "../letters.js";
import type { Adapter, Device } from "./gpu.js";
import type { Launch, Storage } from "./launch.js";
import { Memory } from "./memory.js";
import { Pipelines } from "./pipelines.js";

/** What takes launches: the device at once, or a tape that is being recorded. */
export interface Sink {
  allocate(bytes: number): Storage;
  release(storage: Storage): void;
  launch(launch: Launch): void;
}

type Values = Float32Array | Int32Array | Uint8Array;

interface Held {
  readonly storage: Storage;
  readonly dtype: DataType;
  references: number;
}

export class WebGpu {
  readonly device: Device;
  readonly pipelines: Pipelines;
  readonly memory: Memory;
  readonly #tf: Tf;
  readonly #held = new WeakMap<object, Held>();
  #count = 0;
  /** Null: the device runs kernels at once. */
  tape: Sink | null = null;
  /** What the device had to say against what it was given, if anything. */
  fault: string | null = null;

  constructor(tf: Tf, device: Device) {
    this.#tf = tf;
    this.device = device;
    this.pipelines = new Pipelines(device);
    this.memory = new Memory(device, this.pipelines);
    device.addEventListener("uncapturederror", ({ error }) => {
      this.fault ??= error.message;
    });
    void device.lost.then(({ reason, message }) => {
      this.fault ??= `the GPU was lost (${reason}): ${message}`;
    });
  }

  get tensors(): number {
    return this.#count;
  }

  // ── what kernels use ──

  storage(tensor: Tensor): Storage {
    return this.#held.get(tensor.dataId)!.storage;
  }

  /** A new tensor, its contents undefined. */
  output(shape: readonly number[], dtype: DataType = "float32"): Tensor {
    const dataId = {};
    this.#hold(dataId, this.allocate(4 * product(shape)), dtype);
    return this.#tf.engine().makeTensorFromTensorInfo({ dataId, shape: [...shape], dtype });
  }

  /** A new tensor over the same data. */
  view(tensor: Tensor, shape: readonly number[]): Tensor {
    const { dataId, dtype } = tensor;
    this.incRef(dataId);
    return this.#tf.engine().makeTensorFromTensorInfo({ dataId, shape: [...shape], dtype });
  }

  allocate(bytes: number): Storage {
    const size = Math.max(bytes, 4);
    if (this.tape) return this.tape.allocate(size);
    return { bytes: size, buffer: this.memory.buffer(size) };
  }

  release(storage: Storage): void {
    if (this.tape) this.tape.release(storage);
    else this.memory.release(storage.buffer!);
  }

  launch(launch: Launch): void {
    if (this.tape) this.tape.launch(launch);
    else this.memory.launch(launch);
  }

  /** New contents for a tensor that keeps its place, so that tapes see them. */
  overwrite(tensor: Tensor, values: Float32Array | Int32Array): void {
    this.memory.write(this.storage(tensor).buffer!, values);
  }

  // ── what tfjs asks of a backend ──

  write(values: Values | null, shape: number[], dtype: DataType): object {
    if (this.tape) throw new Error("a tape holds kernels, and no data that comes from outside");
    const dataId = {};
    const storage = this.allocate(4 * product(shape));
    this.#hold(dataId, storage, dtype);
    if (values) this.memory.write(storage.buffer!, words(values, dtype));
    return dataId;
  }

  async read(dataId: object): Promise<Values> {
    const { storage, dtype } = this.#held.get(dataId)!;
    const bytes = await this.memory.read(storage);
    if (this.fault !== null) throw new Error(`WebGPU: ${this.fault}`);
    if (dtype === "float32") return new Float32Array(bytes);
    const whole = new Int32Array(bytes);
    return dtype === "bool" ? Uint8Array.from(whole) : whole;
  }

  disposeData(dataId: object, force = false): boolean {
    const held = this.#held.get(dataId);
    if (!held) return true;
    if (--held.references > 0 && !force) return false;
    this.release(held.storage);
    this.#held.delete(dataId);
    this.#count--;
    return true;
  }

  refCount(dataId: object): number {
    return this.#held.get(dataId)?.references ?? 0;
  }

  incRef(dataId: object): void {
    const held = this.#held.get(dataId);
    if (held) held.references++;
  }

  #hold(dataId: object, storage: Storage, dtype: DataType): void {
    this.#held.set(dataId, { storage, dtype, references: 1 });
    this.#count++;
  }
}

/** Elements of four bytes each. */
function words(values: Values, dtype: DataType): Float32Array | Int32Array {
  if (dtype === "float32")
    return values instanceof Float32Array ? values : Float32Array.from(values);
  return values instanceof Int32Array ? values : Int32Array.from(values);
}

/** A device with all the memory and threads that its adapter grants. */
export async function openDevice(adapter: Adapter): Promise<Device> {
  const { limits } = adapter;
  const wanted = ["maxBufferSize", "maxStorageBufferBindingSize"];
  const requiredLimits = Object.fromEntries(wanted.map((name) => [name, limits[name]!]));
  return adapter.requestDevice({ requiredLimits });
}

/** The name by which tfjs knows the backend. */
const backendName = "lsm-webgpu";

/** Makes the device tfjs's active backend. */
export async function activate(tf: Tf, device: Device): Promise<WebGpu> {
  const gpu = new WebGpu(tf, device);
  class Backend extends tf.KernelBackend {
    override write = (values: unknown, shape: number[], dtype: DataType): object =>
      gpu.write(values as Values | null, shape, dtype);
    override read = (dataId: object): Promise<Values> => gpu.read(dataId);
    override readSync = (): never => {
      throw new Error("WebGPU gives data back by `await tensor.data()` only");
    };
    override disposeData = (dataId: object, force?: boolean): boolean =>
      gpu.disposeData(dataId, force);
    override refCount = (dataId: object): number => gpu.refCount(dataId);
    override incRef = (dataId: object): void => gpu.incRef(dataId);
    override numDataIds = (): number => gpu.tensors;
    override memory = (): { unreliable: boolean } => ({ unreliable: false });
    override floatPrecision = (): 32 => 32;
    override epsilon = (): number => 1e-7;
    override dispose = (): void => device.destroy();
  }
  if (tf.findBackend(backendName)) tf.removeBackend(backendName);
  tf.registerBackend(backendName, () => new Backend());
  if (!(await tf.setBackend(backendName))) throw new Error("tfjs could not start it");
  tf.registerKernel({
    kernelName: "Fill",
    backendName,
    kernelFunc: ({ attrs }) => {
      const { shape, value, dtype } = attrs as unknown as {
        shape: number[];
        value: number;
        dtype?: DataType;
      };
      const values = new Float32Array(product(shape)).fill(value);
      const type = dtype ?? "float32";
      return { dataId: gpu.write(words(values, type), shape, type), shape, dtype: type };
    },
  });
  return gpu;
}
