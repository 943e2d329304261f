/**
 * A TensorFlow graph being written: nodes by name, and in the end a SavedModel that holds them. Field numbers are those of
 * tensorflow/core/framework/{graph,node_def,attr_value,tensor,tensor_shape,types}.proto and
 * tensorflow/core/protobuf/{meta_graph,saved_model}.proto.
 */

import type { Binding, OpAttribute } from "./binding.js";
import { bytes, type Field, float, integer, message } from "./protobuf.js";

/** A node's output as "node:0", or "^node": only after it. */
export type Input = string;

export interface Constant {
  readonly shape: readonly number[];
  readonly dtype: number;
  readonly values: ArrayLike<number>;
}

const producer = 1882; // the graph version of TensorFlow 2.16; later ones read it
export const tag = "serve";

export class GraphDef {
  readonly #types: Binding;
  readonly #nodes: Field[] = [];
  readonly #constants = new Map<string, Input>(); // equal ones are one

  constructor(types: Binding) {
    this.#types = types;
  }

  /** The new node's first output. */
  add(
    name: string,
    op: string,
    inputs: readonly Input[],
    attributes: readonly OpAttribute[] = [],
  ): Input {
    return this.#add(
      name,
      op,
      inputs,
      attributes.map((one) => attribute(one.name, attributeValue(this.#types, one))),
    );
  }

  placeholder(name: string, dtype: number, shape: readonly number[]): Input {
    return this.add(name, "Placeholder", [], [this.type("dtype", dtype), this.shape(shape)]);
  }

  constant(name: string, constant: Constant): Input {
    const tensor = tensorMessage(this.#types, constant);
    const key = tensor.toString("latin1");
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const made = this.#add(
      name,
      "Const",
      [],
      [attribute("dtype", integer(6, constant.dtype)), attribute("value", bytes(8, tensor))],
    );
    this.#constants.set(key, made);
    return made;
  }

  type(name: string, value: number): OpAttribute {
    return { name, type: this.#types.TF_ATTR_TYPE, value };
  }

  shape(value: readonly number[]): OpAttribute {
    return { name: "shape", type: this.#types.TF_ATTR_SHAPE, value };
  }

  /** The file `saved_model.pb`. */
  savedModel(): Buffer {
    const graph = message(this.#nodes, bytes(4, integer(1, producer)));
    const metaGraph = message(bytes(1, bytes(4, tag)), bytes(2, graph));
    return message(integer(1, 1), bytes(2, metaGraph));
  }

  #add(name: string, op: string, inputs: readonly Input[], attributes: readonly Field[]): Input {
    const named = inputs.map((input) => bytes(3, input));
    this.#nodes.push(bytes(1, message(bytes(1, name), bytes(2, op), named, attributes)));
    return `${name}:0`;
  }
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
function tensorMessage(types: Binding, { shape, dtype, values }: Constant): Buffer {
  const head = [integer(1, dtype), bytes(2, shapeMessage(shape))];
  const same = values.length > 1 && isUniform(values);
  switch (dtype) {
    case types.TF_FLOAT:
      if (same) return message(head, float(5, values[0]!));
      return message(head, bytes(4, new Uint8Array(Float32Array.from(values).buffer)));
    case types.TF_INT32:
      if (same) return message(head, integer(7, values[0]!));
      return message(head, bytes(4, new Uint8Array(Int32Array.from(values).buffer)));
    case types.TF_INT64: // comes as pairs of 32-bit halves
      return message(head, bytes(4, new Uint8Array(Int32Array.from(values).buffer)));
    case types.TF_BOOL:
      return message(head, bytes(4, Uint8Array.from(values)));
    default:
      throw new Error(`a constant of type ${dtype}`);
  }
}

function isUniform(values: ArrayLike<number>): boolean {
  for (let i = 1; i < values.length; i++) if (!Object.is(values[i], values[0])) return false;
  return true;
}
