/**
 * A checkpoint: one safetensors file with everything a run needs to go on, or a reader needs to understand it.
 * Weights lie under their own names, so any safetensors reader finds them; optimiser moments under
 * `optimizer/<slot>/<weight>`; the rest is text in the metadata (runtime/format.md).
 */

import type { TokenizerDescription } from "../data/tokenizer.js";
import type { RandomState } from "../random/stream.js";
import { RunError } from "../run/errors.js";
import type { Tensor } from "./dtypes.js";
import { corrupt } from "./header.js";
import type { Safetensors } from "./safetensors.js";

/** Values that JSON keeps as they are. */
export type Plain =
  null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain };

/** Where the data stream stood. */
export interface DataState {
  /** How many sequences were drawn. */
  readonly position: number;
  readonly seed: number;
  /** Tells one corpus from another, so that a resumed run notices other data. */
  readonly fingerprint: string;
}

export interface CheckpointState {
  /** The model's name in the source. */
  readonly model: string;
  /** The `train` block's name, if the model was trained by one. */
  readonly train: string | null;
  /** Optimiser updates made. */
  readonly step: number;
  /** The schedule with its numbers, as the trainer had it. */
  readonly schedule: Plain;
  readonly data: DataState | null;
  /** Random streams in use, by name. */
  readonly random: Readonly<Record<string, RandomState>>;
  /** What turns text into the model's ids; null for models without text. */
  readonly tokenizer: TokenizerDescription | null;
  /** The compiler's version. */
  readonly compiler: string;
  /** What else the trainer wants back: the evaluation losses so far, the size of the stack, … */
  readonly notes: Plain;
}

export interface Checkpoint extends CheckpointState {
  /** The `.lsm` file's text. */
  readonly source: string;
  readonly weights: ReadonlyMap<string, Tensor>;
  /** By slot (`m`, `v`, `momentum`), then by the weight's name. */
  readonly optimizer: ReadonlyMap<string, ReadonlyMap<string, Tensor>>;
}

const VERSION = "1";
const MOMENT = /^optimizer\/([^/]+)\/(.+)$/s;

/** The checkpoint as a safetensors file; `crc` is the CRC-32 of its tensors' bytes in file order. */
export function packCheckpoint(
  checkpoint: Checkpoint,
  crc: (tensors: Safetensors["tensors"]) => number,
): Safetensors {
  const { source, weights, optimizer, ...state } = checkpoint;
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of weights) {
    if (name.startsWith("optimizer/"))
      throw new Error(`no weight may be called ${JSON.stringify(name)}`);
    tensors.set(name, tensor);
  }
  for (const [slot, moments] of optimizer) {
    for (const [name, tensor] of moments) tensors.set(`optimizer/${slot}/${name}`, tensor);
  }
  const metadata = new Map([
    ["lsm.checkpoint", VERSION],
    ["lsm.source", source],
    ["lsm.state", JSON.stringify(state)],
    ["lsm.crc32", crc(tensors).toString(16).padStart(8, "0")],
  ]);
  return { tensors, metadata };
}

/**
 * The checkpoint inside a safetensors file.
 *
 * @param crc the CRC-32 of the tensors as read, or null where nothing computed it
 * @param where the file's name, for messages
 * @throws RunError `checkpoint-corrupt`, `checkpoint-foreign`, `checkpoint-version`
 */
export function unpackCheckpoint(
  { tensors, metadata }: Safetensors,
  crc: number | null,
  where: string,
): Checkpoint {
  const state = readState(metadata, where);
  const stored = metadata.get("lsm.crc32");
  if (crc !== null && stored !== crc.toString(16).padStart(8, "0")) {
    throw corrupt(where, "the tensors' checksum is not the one stored with them");
  }
  const weights = new Map<string, Tensor>();
  const optimizer = new Map<string, Map<string, Tensor>>();
  for (const [name, tensor] of tensors) {
    const [, slot, weight] = MOMENT.exec(name) ?? [];
    if (slot === undefined || weight === undefined) weights.set(name, tensor);
    else
      optimizer.set(slot, (optimizer.get(slot) ?? new Map<string, Tensor>()).set(weight, tensor));
  }
  return { ...state, source: metadata.get("lsm.source") ?? "", weights, optimizer };
}

/** The state in a checkpoint's metadata, without its tensors. @throws RunError as `unpackCheckpoint` */
export function readState(metadata: Safetensors["metadata"], where: string): CheckpointState {
  const version = metadata.get("lsm.checkpoint");
  if (version === undefined) {
    throw new RunError({
      code: "checkpoint-foreign",
      what: "this safetensors file was not written by lsm: it holds no source and no step",
      where,
      help: "give a checkpoint of `lsm train`; models of flash-linear-attention and transformers come in by `lsm import`",
    });
  }
  if (version !== VERSION) {
    throw new RunError({
      code: "checkpoint-version",
      what: `the checkpoint has format ${JSON.stringify(version.slice(0, 20))}, and this lsm reads format ${VERSION}`,
      where,
      help: "use the version of lsm that wrote it, or a newer one",
    });
  }
  let state: unknown;
  try {
    state = JSON.parse(metadata.get("lsm.state") ?? "");
  } catch {
    throw corrupt(where, "the state in its metadata is not valid JSON");
  }
  if (!isState(state))
    throw corrupt(where, "the state in its metadata lacks a field or has one of the wrong kind");
  return state;
}

function isState(value: unknown): value is CheckpointState {
  if (!isRecord(value)) return false;
  const { model, train, step, schedule, data, random, tokenizer, compiler, notes } = value;
  return (
    typeof model === "string" &&
    (train === null || typeof train === "string") &&
    isCount(step) &&
    schedule !== undefined &&
    (data === null ||
      (isRecord(data) &&
        isCount(data.position) &&
        isCount(data.seed) &&
        typeof data.fingerprint === "string")) &&
    isRecord(random) &&
    Object.values(random).every(
      (s) => isRecord(s) && Array.isArray(s.key) && Array.isArray(s.stream) && isCount(s.drawn),
    ) &&
    (tokenizer === null || (isRecord(tokenizer) && typeof tokenizer.kind === "string")) &&
    typeof compiler === "string" &&
    notes !== undefined
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
