/**
 * The header of a safetensors file: eight bytes of length, then JSON that says where every tensor lies.
 * Nothing in it is trusted: sizes are checked against the file before anything is allocated.
 *
 * Source: https://github.com/huggingface/safetensors (format): offsets count from the end of the header, tensors
 * cover the rest of the file without holes or overlaps, the header takes at most 100 MB.
 */

import { RunError } from "../run/errors.js";
import { DTYPES, type Dtype, isDtype } from "./dtypes.js";
import { type Json, JsonFault, readJson } from "./json.js";

export const HEADER_LIMIT = 100_000_000; // bytes

/** Where one tensor lies: bytes from `begin` (inclusive) to `end` (exclusive), after the header. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  /** In the order of their bytes. */
  readonly tensors: readonly TensorEntry[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** The error every fault of a safetensors file becomes. */
export function corrupt(where: string, what: string): RunError {
  return new RunError({
    code: "checkpoint-corrupt",
    what,
    where,
    help: "the file is damaged, cut short or not a safetensors file: use an earlier checkpoint or copy it again",
  });
}

/**
 * The number of header bytes that follow the first eight.
 *
 * @param prefix the first eight bytes of the file, or fewer when it has no more
 * @param fileBytes the size of the whole file
 */
export function headerLength(prefix: Uint8Array, fileBytes: number, where: string): number {
  if (prefix.length < 8)
    throw corrupt(where, `the file has ${fileBytes} bytes, too few for a safetensors header`);
  const length = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(HEADER_LIMIT)) {
    throw corrupt(
      where,
      `the header claims ${length} bytes, and at most ${HEADER_LIMIT} are allowed`,
    );
  }
  if (length < 2n || Number(length) + 8 > fileBytes) {
    throw corrupt(where, `the header claims ${length} bytes, and the file has ${fileBytes} in all`);
  }
  return Number(length);
}

/**
 * Reads and checks the header's JSON.
 *
 * @param bytes the header without its length prefix
 * @param dataBytes how many bytes follow it in the file
 */
export function parseHeader(bytes: Uint8Array, dataBytes: number, where: string): Header {
  const root = readRoot(bytes, where);
  const tensors: TensorEntry[] = [];
  let metadata: ReadonlyMap<string, string> = new Map();
  for (const [name, value] of root) {
    if (name === "__metadata__") metadata = readMetadata(value, where);
    else tensors.push(readEntry(name, value, where));
  }
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, begin, end } of tensors) {
    if (begin !== covered) {
      const fault = begin < covered ? "overlaps the one before it" : "leaves a hole before it";
      throw corrupt(
        where,
        `tensor ${quote(name)} starts at byte ${begin} and ${fault}, which ends at ${covered}`,
      );
    }
    covered = end;
  }
  if (covered !== dataBytes) {
    throw corrupt(where, `its tensors take ${covered} bytes, and ${dataBytes} follow the header`);
  }
  return { tensors, metadata };
}

function readRoot(bytes: Uint8Array, where: string): ReadonlyMap<string, Json> {
  let root: Json;
  try {
    root = readJson(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    if (error instanceof JsonFault)
      throw corrupt(where, `the header is not valid JSON: ${error.message}`);
    throw corrupt(where, "the header is not valid UTF-8");
  }
  if (!(root instanceof Map)) throw corrupt(where, "the header is not a JSON object");
  return root as ReadonlyMap<string, Json>;
}

function readMetadata(value: Json, where: string): ReadonlyMap<string, string> {
  if (!(value instanceof Map)) throw corrupt(where, "`__metadata__` is not an object");
  for (const [key, text] of value) {
    if (typeof text !== "string")
      throw corrupt(where, `\`__metadata__\` holds no text under ${quote(key)}`);
  }
  return value as ReadonlyMap<string, string>;
}

function readEntry(name: string, value: Json, where: string): TensorEntry {
  if (!(value instanceof Map))
    throw corrupt(where, `tensor ${quote(name)} is not described by an object`);
  const dtype: Json | undefined = value.get("dtype");
  const shape = wholeNumbers(value.get("shape"));
  const offsets = wholeNumbers(value.get("data_offsets"));
  if (!isDtype(dtype)) {
    throw corrupt(
      where,
      `tensor ${quote(name)} has the dtype ${JSON.stringify(dtype) ?? "none"}, which is unknown here`,
    );
  }
  if (shape === null || offsets === null || offsets.length !== 2) {
    throw corrupt(
      where,
      `tensor ${quote(name)} has a shape or offsets that are not lists of whole numbers`,
    );
  }
  const [begin, end] = offsets as [number, number];
  const bytes = shape.reduce((product, size) => product * size, DTYPES[dtype].bytes);
  if (!Number.isSafeInteger(bytes) || end - begin !== bytes) {
    throw corrupt(
      where,
      `tensor ${quote(name)} ${dtype} [${shape}] needs ${bytes} bytes and has ${end - begin}`,
    );
  }
  return { name, dtype, shape, begin, end };
}

function wholeNumbers(value: Json | undefined): number[] | null {
  if (!Array.isArray(value)) return null;
  return value.every((n) => Number.isSafeInteger(n) && n >= 0) ? (value as number[]) : null;
}

/** A name from a stranger's file, short and without control characters. */
function quote(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}
