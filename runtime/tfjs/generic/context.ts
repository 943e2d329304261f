/** What every generic kernel is given: tfjs, and what the backend under it can and cannot do. */

import type * as tfjs from "@tensorflow/tfjs";
import type { Tensor } from "@tensorflow/tfjs";

export type Tf = typeof tfjs;

export interface Capability {
  /** Tensors can be read at once (`dataSync`). WebGPU has only `await data()`. */
  readonly readsBack: boolean;
  /** A matmul may take its operands transposed. tfjs's WebAssembly one is 12–24× slower then. */
  readonly transposedMatMul: boolean;
  /** A matmul may take a tensor in two shapes. tfjs's WebAssembly one packs its second operand once and for all. */
  readonly sharedMatMul: boolean;
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
  /** cumsum takes 30 times as long as a product with a matrix of ones, where there are few summands. */
  readonly slowCumsum: boolean;
  /** tfjs's topk gives equal values in order of position. That of the cpu backend does not. */
  readonly stableTopK: boolean;
}

/** Ops that a backend has and tfjs has not, or not without doing more than is asked. */
export interface OwnOps {
  /** x repeated along its axes of size 1, and along new ones in front. */
  broadcast(x: Tensor, shape: readonly number[]): Tensor;
  /** a where c is not 0, else b; they broadcast against each other. */
  select(c: Tensor, a: Tensor, b: Tensor): Tensor;
}

export interface Context {
  readonly tf: Tf;
  readonly can: Capability;
  readonly own: OwnOps;
}

export function contextOf(tf: Tf, own: OwnOps = plainOps(tf)): Context {
  const backend = tf.getBackend();
  const gpu = backend === "webgpu" || backend === "webgl";
  return {
    tf,
    own,
    can: {
      readsBack: !gpu,
      mergesAxes: backend === "tensorflow",
      intTranspose: backend !== "webgpu",
      realCast: backend !== "webgpu",
      cumsum: backend !== "webgpu",
      slowCumsum: backend === "tensorflow",
      transposedMatMul: backend !== "wasm",
      sharedMatMul: backend !== "wasm",
      precise: backend === "cpu" || backend === "tensorflow",
      stableTopK: backend === "tensorflow",
    },
  };
}

/** By what every backend of tfjs has. */
function plainOps(tf: Tf): OwnOps {
  // Not tf.tile: it is pathological on WebAssembly. Ones keep NaN, infinities and −0 as they are.
  const broadcast: OwnOps["broadcast"] = (x, shape) => {
    const ahead = shape.length - x.rank;
    const ones = shape.map((size, i) => (i >= ahead && x.shape[i - ahead] === size ? 1 : size));
    return tf.mul(x, tf.ones(ones, x.dtype as "float32" | "int32"));
  };
  return {
    broadcast,
    // `tf.where` repeats its operands with `tile`, so they get their common shape here
    select(c, a, b) {
      const [test, yes, no] = inCommonShape(tf, [c, a, b], broadcast);
      return tf.where(tf.notEqual(test!, 0), yes!, no!);
    },
  };
}

/** Tensors in the shape that they broadcast to together; `broadcast` is called for those alone that have another. */
export function inCommonShape(
  tf: Tf,
  tensors: readonly Tensor[],
  broadcast: OwnOps["broadcast"],
): Tensor[] {
  const shape = tensors.map((t) => t.shape).reduce(tf.broadcast_util.assertAndGetBroadcastShape);
  return tensors.map((t) => (t.shape.join() === shape.join() ? t : broadcast(t, shape)));
}
