/** The element types a safetensors file may hold, as typed arrays; half-precision numbers stay raw until asked for. */

/** One row per dtype: bytes an element, and the view of its bytes. F16 and BF16 are raw 16-bit words. */
export const DTYPES = {
  F64: { bytes: 8, view: (b: ArrayBuffer, at: number, n: number) => new Float64Array(b, at, n) },
  F32: { bytes: 4, view: (b: ArrayBuffer, at: number, n: number) => new Float32Array(b, at, n) },
  F16: { bytes: 2, view: (b: ArrayBuffer, at: number, n: number) => new Uint16Array(b, at, n) },
  BF16: { bytes: 2, view: (b: ArrayBuffer, at: number, n: number) => new Uint16Array(b, at, n) },
  I64: { bytes: 8, view: (b: ArrayBuffer, at: number, n: number) => new BigInt64Array(b, at, n) },
  I32: { bytes: 4, view: (b: ArrayBuffer, at: number, n: number) => new Int32Array(b, at, n) },
  I16: { bytes: 2, view: (b: ArrayBuffer, at: number, n: number) => new Int16Array(b, at, n) },
  I8: { bytes: 1, view: (b: ArrayBuffer, at: number, n: number) => new Int8Array(b, at, n) },
  U8: { bytes: 1, view: (b: ArrayBuffer, at: number, n: number) => new Uint8Array(b, at, n) },
  BOOL: { bytes: 1, view: (b: ArrayBuffer, at: number, n: number) => new Uint8Array(b, at, n) },
} as const;

export type Dtype = keyof typeof DTYPES;

/** The typed array that holds a tensor of dtype `D`. */
export type TensorData<D extends Dtype = Dtype> = ReturnType<(typeof DTYPES)[D]["view"]>;

/** A dense row-major tensor; `data` holds the product of `shape` elements (one for a scalar). */
export interface Tensor<D extends Dtype = Dtype> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: TensorData<D>;
}

export function isDtype(name: unknown): name is Dtype {
  return typeof name === "string" && Object.hasOwn(DTYPES, name);
}

/** A float32 tensor: what weights and optimiser moments are. */
export function float32(shape: readonly number[], data: Float32Array<ArrayBuffer>): Tensor<"F32"> {
  return { dtype: "F32", shape, data };
}

function halfToFloat(word: number): number {
  const sign = word & 0x8000 ? -1 : 1;
  const exponent = (word >> 10) & 0x1f;
  const fraction = word & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The tensor's values as float32; half precision is widened exactly, float64 and int64 are rounded. */
export function toFloat32(tensor: Tensor): Float32Array {
  const { dtype, data } = tensor;
  if (dtype === "F32") return data as Float32Array;
  if (dtype === "F16") return Float32Array.from(data as Uint16Array, halfToFloat);
  if (dtype === "BF16") {
    const words = Uint32Array.from(data as Uint16Array, (word) => word << 16);
    return new Float32Array(words.buffer);
  }
  return Float32Array.from(data as ArrayLike<number | bigint>, Number);
}
