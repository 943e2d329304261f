/** Reading and writing safetensors in memory; `safetensors.node.ts` does the same on files without reading all of one. */

import { DTYPES, type Tensor } from "./dtypes.js";
import { headerLength, HEADER_LIMIT, parseHeader, type TensorEntry } from "./header.js";
import { RunError } from "../run/errors.js";

/** A file's contents; tensors keep the order in which they were given or lie. */
export interface Safetensors {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * The file as pieces to be written one after the other: the header, then every tensor's bytes (not copied).
 * Tensors are ordered by falling element size, then by name, so that all of them are aligned.
 */
export function encodeSafetensors({ tensors, metadata }: Safetensors): Uint8Array[] {
  const names = orderedNames(tensors);
  const entries: [string, unknown][] = [];
  if (metadata.size > 0) entries.push(["__metadata__", Object.fromEntries(metadata)]);
  let end = 0;
  for (const name of names) {
    const { dtype, shape, data } = tensors.get(name)!;
    checkTensor(name, tensors.get(name)!);
    const begin = end;
    end += data.byteLength;
    entries.push([name, { dtype, shape, data_offsets: [begin, end] }]);
  }
  const json = `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`;
  const text = new TextEncoder().encode(json);
  const length = Math.ceil(text.length / 8) * 8; // tensors start on a multiple of eight bytes
  if (length > HEADER_LIMIT) throw tooLarge(length);
  const head = new Uint8Array(8 + length).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true);
  head.set(text, 8);
  return [head, ...dataPieces(tensors)];
}

/** The bytes of all tensors in file order: what a checksum covers. */
export function dataPieces(tensors: Safetensors["tensors"]): Uint8Array[] {
  return orderedNames(tensors).map((name) => {
    const { data } = tensors.get(name)!;
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  });
}

/**
 * Reads a whole file held in memory.
 *
 * @param where the file's name, for messages
 * @throws RunError `checkpoint-corrupt`
 */
export function decodeSafetensors(bytes: Uint8Array, where: string): Safetensors {
  const length = headerLength(bytes.subarray(0, 8), bytes.length, where);
  const data = bytes.subarray(8 + length);
  const header = parseHeader(bytes.subarray(8, 8 + length), data.length, where);
  const tensors = new Map<string, Tensor>();
  for (const entry of header.tensors) {
    tensors.set(entry.name, tensorFrom(entry, data.slice(entry.begin, entry.end).buffer));
  }
  return { tensors, metadata: header.metadata };
}

/** The tensor whose bytes fill `buffer`. */
export function tensorFrom({ dtype, shape }: TensorEntry, buffer: ArrayBuffer): Tensor {
  const { bytes, view } = DTYPES[dtype];
  return { dtype, shape, data: view(buffer, 0, buffer.byteLength / bytes) };
}

function orderedNames(tensors: Safetensors["tensors"]): string[] {
  const size = (name: string) => DTYPES[tensors.get(name)!.dtype].bytes;
  return [...tensors.keys()].sort((a, b) => size(b) - size(a) || (a < b ? -1 : 1));
}

function checkTensor(name: string, { dtype, shape, data }: Tensor): void {
  const elements = shape.reduce((product, size) => product * size, 1);
  if (
    name === "__metadata__" ||
    elements !== data.length ||
    data.byteLength !== elements * DTYPES[dtype].bytes
  ) {
    throw new Error(
      `tensor ${JSON.stringify(name)}: ${dtype} [${shape}] does not describe ${data.length} elements`,
    );
  }
}

function tooLarge(bytes: number): RunError {
  return new RunError({
    code: "checkpoint-header-too-large",
    what: `names and metadata take ${bytes} bytes, and safetensors allows ${HEADER_LIMIT}`,
    where: "the checkpoint's header",
    help: "a tokenizer of more than 90 MB cannot travel inside a checkpoint",
  });
}
