/**
 * What phase 4 comes to: which device of a mesh holds which part of a model, and what crosses the mesh in a step.
 *
 * Devices that hold the same amounts are one `Stage`: without a pipeline all devices are one. Bytes are of one device.
 */

import type { Precision } from "../1-check/blocks/training.js";
import type { MeshAxis } from "../1-check/blocks/tables/mesh.js";
import type { Sizes } from "../2-lower/lower.js";
import type { MeshShape } from "./mesh-shape.js";

/** One training step, as it is shared out. */
export interface Work {
  /** Sequences of one part of an update (all of it without `accumulate`), over all devices. */
  readonly batch: number;
  /** Parts in which an update is computed, one after the other: the microbatches of a pipeline. */
  readonly parts: number;
  /** Tokens in a whole sequence. */
  readonly time: number;
  readonly packed: boolean;
  readonly precision: Precision;
}

/** An axis of a parameter: a device has `size / shares` of it (the last of uneven shares less). */
export interface PlacedAxis {
  readonly name: string;
  readonly size: number;
  /** The mesh axes over which it is shared out; none where each device has all of it. */
  readonly over: readonly MeshAxis[];
  readonly shares: number;
}

export interface PlacedParameter {
  readonly path: string; // in the whole model
  /** The block it belongs to, by its path; empty outside of the blocks. */
  readonly block: string;
  readonly axes: readonly PlacedAxis[];
  readonly trainable: boolean;
  /** The pipeline stages that have it; several where it is tied. */
  readonly stages: readonly number[];
  /** Elements in all, on one device, and on one device while its block is computed (FSDP has gathered it). */
  readonly elements: number;
  readonly held: number;
  readonly gathered: number;
}

export const collectiveKinds = [
  "all-gather",
  "reduce-scatter",
  "all-reduce",
  "all-to-all",
  "send-recv",
] as const;
export type CollectiveKind = (typeof collectiveKinds)[number];

/** When in a step: `again` is the forward pass repeated in the backward one, with `recompute blocks`. */
export const passes = ["forward", "again", "backward", "update"] as const;
export type Pass = (typeof passes)[number];

export interface Collective {
  readonly kind: CollectiveKind;
  /** The mesh axes it crosses, and how many devices take part. */
  readonly axes: readonly MeshAxis[];
  readonly group: number;
  /** What is moved, in words: "state mixer.S", "parameters". */
  readonly what: string;
  /** The function it belongs to, by the block's name in the program; null for what lies outside of the blocks. */
  readonly block: string | null;
  readonly pass: Pass;
  /** The whole tensor as one device has it: gathered, before it is scattered, reduced or sent. */
  readonly bytes: number;
  /** What one device sends, by the usual ring algorithms. */
  readonly sent: number;
  /** How often in a step a device takes part. */
  readonly times: number;
}

/** The devices of one pipeline stage. */
export interface Stage {
  readonly index: number;
  readonly devices: number;
  /** Its blocks by their paths, with their names in the program. */
  readonly blocks: readonly { readonly path: string; readonly block: string }[];
  /** Parts of a batch whose activations it keeps at one time. */
  readonly inFlight: number;
  readonly collectives: readonly Collective[];
}

export interface Placement {
  readonly shape: MeshShape;
  readonly work: Work;
  /** What one device computes of a part. */
  readonly local: Sizes;
  readonly parameters: readonly PlacedParameter[];
  readonly stages: readonly Stage[];
  readonly recompute: boolean;
  /** The axes of each function's values that are shared out over tp, and over ep, by the names they have there. */
  readonly sharedAxes: ReadonlyMap<string, SharedAxes>;
  /** The share of a step in which a stage of the pipeline waits, (p − 1) / (v m + p − 1); 0 without one. */
  readonly bubble: number;
}

export interface SharedAxes {
  readonly tp: ReadonlySet<string>;
  readonly experts: ReadonlySet<string>;
}

/** Bytes of one element: of weights and activations as they are computed with, and of sums of gradients. */
export const computeBytes: Readonly<Record<Precision, number>> = { fp32: 4, bf16: 2, fp16: 2 };
export const gradientBytes = 4; // reduced and added up in float32

/** Logits that are there at one time: the torch trainer's loss takes them in chunks, with their gradients in place. */
export const lossChunkElements = 5 * 2 ** 27;
