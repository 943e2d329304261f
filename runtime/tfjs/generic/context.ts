/** What every generic kernel is given: tfjs, and what the backend under it can and cannot do. */

import type * as tfjs from "@tensorflow/tfjs";

export type Tf = typeof tfjs;

export interface Capability {
  /** Tensors can be read at once (`dataSync`). WebGPU has only `await data()`. */
  readonly readsBack: boolean;
  /** A matmul may take its operands transposed. tfjs's WebAssembly one is 12–24× slower then. */
  readonly transposedMatMul: boolean;
  /**
   * expm1, log1p, tanh, sin and cos have float32's precision. WebAssembly's lose it near 0, and shaders may be
   * off by 2⁻¹¹ in sin and cos anywhere.
   */
  readonly precise: boolean;
  /**
   * Ops take more axes than they work on and merge what moves together themselves. Merging for them would
   * only cost: TensorFlow needs as long for a reshape as for any op.
   */
  readonly mergesAxes: boolean;
  /** `transpose` takes int32. On WebGPU it makes a shader that does not compile. */
  readonly intTranspose: boolean;
  /** A cast to float32 makes float32 of it. WebGPU only renames the integers, and some shaders then fail on them. */
  readonly realCast: boolean;
  readonly cumsum: boolean;
  /** tfjs's topk gives equal values in order of position. That of the cpu backend does not. */
  readonly stableTopK: boolean;
}

export interface Context {
  readonly tf: Tf;
  readonly can: Capability;
}

export function contextOf(tf: Tf): Context {
  const backend = tf.getBackend();
  const gpu = backend === "webgpu" || backend === "webgl";
  return {
    tf,
    can: {
      readsBack: !gpu,
      mergesAxes: backend === "tensorflow",
      intTranspose: backend !== "webgpu",
      realCast: backend !== "webgpu",
      cumsum: backend !== "webgpu",
      transposedMatMul: backend !== "wasm",
      precise: backend === "cpu" || backend === "tensorflow",
      stableTopK: backend === "tensorflow",
    },
  };
}
