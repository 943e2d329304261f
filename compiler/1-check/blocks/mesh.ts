/** What a `parallel` block comes to: devices, and how a training is laid out over them. */

import type { Device } from "./devices.js";
import type { MeshAxes } from "./tables/mesh.js";

export interface Mesh {
  readonly name: string;
  readonly doc: string | null;
  readonly device: Device;
  /** Devices in all. */
  readonly devices: number;
  readonly plan: WrittenPlan | SearchedPlan;
}

export interface WrittenPlan {
  readonly kind: "written";
  readonly axes: MeshAxes;
  /** How recurrences and attention cross the shards of a sequence; null when sequences are whole. */
  readonly sequence: SequenceStrategy | null;
  readonly experts: boolean; // shared out over ep
  readonly heads: boolean; // shared out over tp
  /** The order of a pipeline's steps; null without one. */
  readonly pipeline: PipelineSchedule | null;
  /** What is computed again in the backward pass instead of kept. */
  readonly recompute: Recompute;
}

export interface SearchedPlan {
  readonly kind: "search";
  readonly goal: "throughput" | "memory";
  readonly recompute: Recompute | null; // null: the search decides
}

export type SequenceStrategy = "lasp2" | "ring";
export type PipelineSchedule = "1f1b" | "gpipe" | "interleaved_1f1b";
export type Recompute = "blocks" | "none";
