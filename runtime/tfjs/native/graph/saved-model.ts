/**
 * What was recorded as a TensorFlow SavedModel: a GraphDef in which given tensors are placeholders. Field numbers are
 * those of tensorflow/core/framework/{graph,node_def,attr_value,tensor,tensor_shape,types}.proto and
 * tensorflow/core/protobuf/{meta_graph,saved_model}.proto.
 */

import type { Binding, OpAttribute, TensorMetadata } from "./binding.js";
import { bytes, type Field, float, integer, message } from "./protobuf.js";
import type { Recorded } from "./record.js";

export interface SavedModel {
  /** The file `saved_model.pb`. */
  readonly content: Buffer;
  /** Names for `runSavedModel`, in the order of the tensors given. */
  readonly inputNames: string;
  readonly outputNames: string;
}

const producer = 1882; // the graph version of TensorFlow 2.16; later ones read it
export const tag = "serve";

/** @throws where the graph needs a tensor that was neither given nor recorded */
export function savedModel(
  types: Binding,
  given: readonly TensorMetadata[],
  recorded: readonly Recorded[],
  outputs: readonly number[],
): SavedModel {
  const names = new Map<number, string>(); // "node:output" of every tensor
  const constants = new Map<string, string>(); // equal ones are one
  const nodes: Field[] = [];
  const nameOf = (id: number): string => {
    const name = names.get(id);
    if (name === undefined) throw new Error(`tensor ${id} comes from outside the recording`);
    return name;
  };
  const add = (
    name: string,
    op: string,
    inputs: readonly number[],
    attributes: readonly Field[],
  ): void => {
    nodes.push(
      bytes(
        1,
        message(
          bytes(1, name),
          bytes(2, op),
          inputs.map((id) => bytes(3, nameOf(id))),
          attributes,
        ),
      ),
    );
  };
  const inputNames = given.map(({ id, shape, dtype }, i) => {
    add(
      `given${i}`,
      "Placeholder",
      [],
      [attribute("dtype", integer(6, dtype)), attribute("shape", bytes(7, shapeMessage(shape)))],
    );
    names.set(id, `given${i}:0`);
    return `given${i}:0`;
  });
  recorded.forEach((one, i) => {
    if (one.kind === "op") {
      const attributes = one.attributes.map((a) => attribute(a.name, attributeValue(types, a)));
      add(`op${i}`, one.name, one.inputs, attributes);
      one.outputs.forEach((id, output) => names.set(id, `op${i}:${output}`));
      return;
    }
    const tensor = tensorMessage(types, one);
    const key = tensor.toString("latin1");
    let name = constants.get(key);
    if (name === undefined) {
      name = `constant${i}:0`;
      constants.set(key, name);
      const attributes = [
        attribute("dtype", integer(6, one.dtype)),
        attribute("value", bytes(8, tensor)),
      ];
      add(`constant${i}`, "Const", [], attributes);
    }
    names.set(one.id, name);
  });
  const graph = message(nodes, bytes(4, integer(1, producer)));
  const metaGraph = message(bytes(1, bytes(4, tag)), bytes(2, graph));
  return {
    content: message(integer(1, 1), bytes(2, metaGraph)),
    inputNames: inputNames.join(),
    outputNames: outputs.map(nameOf).join(),
  };
}

const attribute = (name: string, value: Buffer): Field =>
  bytes(5, message(bytes(1, name), bytes(2, value)));

const shapeMessage = (shape: readonly number[]): Buffer =>
  message(shape.map((size) => bytes(2, integer(1, size))));

function attributeValue(types: Binding, { name, type, value }: OpAttribute): Buffer {
  if (type === types.TF_ATTR_SHAPE) return bytes(7, shapeMessage(value as number[]));
  const one = (item: unknown): Field => {
    switch (type) {
      case types.TF_ATTR_STRING:
        return bytes(2, item as string);
      case types.TF_ATTR_INT:
        return integer(3, item as number);
      case types.TF_ATTR_FLOAT:
        return float(4, item as number);
      case types.TF_ATTR_BOOL:
        return integer(5, Number(item));
      case types.TF_ATTR_TYPE:
        return integer(6, item as number);
      default:
        throw new Error(`attribute ${name} is of kind ${type}`);
    }
  };
  return Array.isArray(value) ? bytes(1, message(value.map(one))) : one(value);
}

/** A constant all of whose values are one is stored as that one. */
function tensorMessage(
  types: Binding,
  { shape, dtype, values }: Extract<Recorded, { readonly kind: "constant" }>,
): Buffer {
  const head = [integer(1, dtype), bytes(2, shapeMessage(shape))];
  const list = Array.from(values);
  const same = list.every((value) => Object.is(value, list[0]));
  switch (dtype) {
    case types.TF_FLOAT:
      if (same && list.length > 1) return message(head, float(5, list[0]!));
      return message(head, bytes(4, new Uint8Array(Float32Array.from(list).buffer)));
    case types.TF_INT32:
      if (same && list.length > 1) return message(head, integer(7, list[0]!));
      return message(head, bytes(4, new Uint8Array(Int32Array.from(list).buffer)));
    case types.TF_INT64: // comes as pairs of 32-bit halves
      return message(head, bytes(4, new Uint8Array(Int32Array.from(list).buffer)));
    case types.TF_BOOL:
      return message(head, bytes(4, Uint8Array.from(list)));
    default:
      throw new Error(`a constant of type ${dtype}`);
  }
}
