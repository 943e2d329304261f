/** The parts of tfjs-node 4.22.0 that we rely on; none of them is public. */

import type { Tensor } from "@tensorflow/tfjs";

export interface TensorMetadata {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

export interface OpAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

export interface Binding {
  createTensor(shape: readonly number[], dtype: number, values: ArrayLike<number>): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): ArrayLike<number>;
  executeOp(
    name: string,
    attributes: readonly OpAttribute[],
    inputs: readonly number[],
    outputs: number,
  ): TensorMetadata[];
  loadSavedModel(folder: string, tags: string): number;
  deleteSavedModel(model: number): void;
  /** Names are joined by commas. */
  runSavedModel(
    model: number,
    inputs: readonly number[],
    inputNames: string,
    outputNames: string,
  ): TensorMetadata[];
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_INT64: number;
  readonly TF_BOOL: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
}

/** Where a tensor's values are: in TensorFlow under `id`, or still here, in `values`. */
export interface TensorInfo {
  id: number; // −1 for none
  values: ArrayLike<number> | null;
  readonly shape: readonly number[];
  readonly dtype: number;
}

/** A tensor as far as the backend cares; views of one share it. */
export type Data = Pick<Tensor, "dataId">;

export interface NativeBackend {
  binding: Binding;
  readonly tensorMap: { get(dataId: object): TensorInfo };
  /** Notes a new tensor's values, which go to TensorFlow when they are first asked for. */
  write(values: unknown, shape: number[], dtype: string): object;
  /** Puts tensors that are still on JavaScript's side into TensorFlow. */
  getInputTensorIds(tensors: readonly Data[]): number[];
  createOutputTensor(metadata: TensorMetadata): Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: readonly OpAttribute[],
    inputs: readonly Tensor[],
    outputs: number,
  ): Tensor[];
}

/** The tensor keeps its identity and gets another content: what TensorFlow has made, or values from here. */
export function replaceContent(
  { binding, tensorMap }: NativeBackend,
  tensor: Data,
  content: { readonly id: number } | { readonly values: Float32Array | Int32Array },
): void {
  const info = tensorMap.get(tensor.dataId);
  if (info.id >= 0) binding.deleteTensor(info.id);
  info.id = "id" in content ? content.id : -1;
  info.values = "values" in content ? content.values.slice() : null;
}
