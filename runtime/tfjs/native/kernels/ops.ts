/** TensorFlow's own ops, for what tfjs has no function for, or one that reads values back. */

import type { Tensor, Tensor1D } from "@tensorflow/tfjs";
import { type OwnOps, type Tf, inCommonShape } from "../../generic/context.js";
import type { NativeBackend, OpAttribute } from "../graph/binding.js";

export interface NativeOps extends OwnOps {
  /** x[indices], rows of the first axis. An index out of bounds is TensorFlow's to complain about. */
  gather(x: Tensor, indices: Tensor): Tensor;
  /** Positions of the k largest of each row, largest first, equal ones by position: int32. */
  topK(rows: Tensor, k: number): Tensor;
  /** The places of a permutation's numbers. */
  invertPermutation(order: Tensor): Tensor;
  /** How often each of 0 … size − 1 occurs. */
  count(ids: Tensor, size: number): Tensor1D;
  /** x cut along its first axis into `parts` pieces; their sizes may be another at every run of a graph. */
  split(x: Tensor, sizes: Tensor1D, parts: number): Tensor[];
  /** The matrices that x [parts, n, m] is made of. */
  unstack(x: Tensor): Tensor[];
  matMul(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor;
}

export function nativeOps(tf: Tf): NativeOps {
  const backend = tf.backend() as unknown as NativeBackend;
  const { binding } = backend;
  const float = binding.TF_FLOAT;
  const int = binding.TF_INT32;
  const type = (name: string, value: number): OpAttribute => ({
    name,
    type: binding.TF_ATTR_TYPE,
    value,
  });
  const flag = (name: string, value: boolean): OpAttribute => ({
    name,
    type: binding.TF_ATTR_BOOL,
    value,
  });
  const number = (name: string, value: number): OpAttribute => ({
    name,
    type: binding.TF_ATTR_INT,
    value,
  });
  const types: Readonly<Record<string, number>> = {
    float32: float,
    int32: int,
    bool: binding.TF_BOOL,
  };
  const typeOf = ({ dtype }: Tensor): number => types[dtype]!;
  const run = (name: string, attributes: readonly OpAttribute[], inputs: readonly Tensor[]) =>
    backend.executeMultipleOutputs(name, attributes, inputs, 1)[0]!;
  const broadcast = (x: Tensor, shape: readonly number[]): Tensor =>
    run(
      "BroadcastTo",
      [type("T", typeOf(x)), type("Tidx", int)],
      [x, tf.tensor1d([...shape], "int32")],
    );
  return {
    broadcast,
    select(c, a, b) {
      // SelectV2, which broadcasts itself, takes twice as long
      const operands = inCommonShape(tf, [tf.notEqual(c, 0), a, b], broadcast);
      return run("Select", [type("T", typeOf(a))], operands);
    },
    gather: (x, indices) =>
      run(
        "GatherV2",
        [type("Tparams", typeOf(x)), type("Tindices", int), type("Taxis", int)],
        [x, indices, tf.scalar(0, "int32")],
      ),
    topK: (rows, k) =>
      backend.executeMultipleOutputs(
        "TopKV2",
        [flag("sorted", true), type("T", typeOf(rows))],
        [rows, tf.scalar(k, "int32")],
        2,
      )[1]!,
    invertPermutation: (order) => run("InvertPermutation", [type("T", int)], [order]),
    count: (ids, size) =>
      run(
        "Bincount",
        [type("T", int)],
        [ids, tf.scalar(size, "int32"), tf.tensor1d([], "int32")],
      ) as Tensor1D,
    split: (x, sizes, parts) =>
      backend.executeMultipleOutputs(
        "SplitV",
        [number("num_split", parts), type("T", typeOf(x)), type("Tlen", int)],
        [x, sizes, tf.scalar(0, "int32")],
        parts,
      ),
    unstack: (x) =>
      backend.executeMultipleOutputs(
        "Unpack",
        [number("num", x.shape[0]!), number("axis", 0), type("T", typeOf(x))],
        [x],
        x.shape[0]!,
      ),
    matMul: (a, b, transposeA, transposeB) =>
      run(
        "MatMul",
        [flag("transpose_a", transposeA), flag("transpose_b", transposeB), type("T", float)],
        [a, b],
      ),
  };
}
