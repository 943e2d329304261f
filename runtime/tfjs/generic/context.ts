/** What every generic kernel is given: tfjs, and what the backend under it can and cannot do. */

import type * as tfjs from "@tensorflow/tfjs";

export type Tf = typeof tfjs;

export interface Capability {
  /** Tensors can be read at once (`dataSync`). WebGPU has only `await data()`. */
  readonly readsBack: boolean;
  /** A matmul may take its operands transposed. tfjs's WebAssembly one is 12–24× slower then. */
  readonly transposedMatMul: boolean;
  /** expm1, log1p, tanh and sin keep their relative precision near 0. WebAssembly and shaders lose it. */
  readonly precise: boolean;
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
      transposedMatMul: backend !== "wasm",
      precise: backend === "cpu" || backend === "tensorflow",
      stableTopK: backend === "tensorflow",
    },
  };
}
