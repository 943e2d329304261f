/**
 * A kernel of ours as it is given to the GPU: a shader, the tensors' memory it is bound to, and how many
 * workgroups run it. Plain data, so that a launch may run at once or be kept on a tape.
 */

import type { GpuBuffer } from "./gpu.js";

/** The memory of a tensor; reshapes share it. */
export interface Storage {
  readonly bytes: number; // what the tensor needs, a multiple of 4
  /** Null while a tape is recorded: the tape's plan says later where it lies. */
  buffer: GpuBuffer | null;
}

/** How a shader uses the storage bound at each of its places. */
export type Access = "read" | "write";

export interface Shader {
  readonly code: string; // WGSL; its entry point is `main`
  readonly access: readonly Access[];
  /** Whether a uniform `step: u32` is bound behind the storages. */
  readonly stepped: boolean;
}

export interface Launch {
  readonly name: string; // of the kernel and what it was made for
  readonly shader: Shader;
  readonly storages: readonly Storage[]; // in the order of the bindings
  readonly step: number; // the uniform of a stepped shader; else 0
  readonly workgroups: readonly [number, number];
}

/** Storage buffers one shader may have: what every WebGPU device grants. */
export const mostStorages = 8;

const mostGroups = 65535; // in one dimension of a dispatch

/** A dispatch of at least `count` workgroups; shaders number them x + y · columns, and stop behind the last. */
export function workgroupsFor(count: number): readonly [number, number] {
  if (count <= mostGroups) return [Math.max(count, 1), 1];
  const rows = Math.ceil(count / mostGroups);
  return [Math.ceil(count / rows), rows];
}
