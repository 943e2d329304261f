/** A mesh as numbers: its axes outermost first, the coordinates and nodes of its devices, who shares a group. */

import { type MeshAxes, type MeshAxis, meshTable } from "../1-check/blocks/tables/mesh.js";

export const meshAxisNames = Object.keys(meshTable) as MeshAxis[];

/** Devices that share the fast links of one machine. */
export const devicesOfNode = 8;

export interface MeshShape {
  readonly sizes: MeshAxes;
  readonly devices: number;
  /** Machines of up to eight devices. */
  readonly nodes: number;
}

export function meshShape(sizes: MeshAxes): MeshShape {
  const devices = groupSize({ sizes }, meshAxisNames);
  return { sizes, devices, nodes: Math.ceil(devices / devicesOfNode) };
}

/** How many devices differ from one another in these axes alone. */
export const groupSize = ({ sizes }: Pick<MeshShape, "sizes">, axes: readonly MeshAxis[]): number =>
  axes.reduce((product, axis) => product * sizes[axis], 1);

/** Of these axes, those that the mesh has. */
export const present = (
  { sizes }: Pick<MeshShape, "sizes">,
  axes: readonly MeshAxis[],
): MeshAxis[] => axes.filter((axis) => sizes[axis] > 1);

export type Coordinates = Readonly<Record<MeshAxis, number>>;

/** Ranks are row-major: the last axis, ep, counts fastest. */
export function coordinatesOf({ sizes }: MeshShape, rank: number): Coordinates {
  const found: Partial<Record<MeshAxis, number>> = {};
  for (const axis of [...meshAxisNames].reverse()) {
    found[axis] = rank % sizes[axis];
    rank = Math.floor(rank / sizes[axis]);
  }
  return found as Coordinates;
}

export function rankOf({ sizes }: MeshShape, at: Coordinates): number {
  return meshAxisNames.reduce((rank, axis) => rank * sizes[axis] + at[axis], 0);
}

/** The ranks that device 0 forms a group with along these axes. */
export function groupOfFirst(shape: MeshShape, axes: readonly MeshAxis[]): number[] {
  return Array.from({ length: shape.devices }, (_, rank) => rank).filter((rank) => {
    const at = coordinatesOf(shape, rank);
    return meshAxisNames.every((axis) => axes.includes(axis) || at[axis] === 0);
  });
}

/** How many nodes a group along these axes spreads over: 1 where it stays on fast links. */
export function nodesOfGroup(shape: MeshShape, axes: readonly MeshAxis[]): number {
  return new Set(groupOfFirst(shape, axes).map((rank) => Math.floor(rank / devicesOfNode))).size;
}

/** Axes over which the sequences of a batch are shared out, and those over which its tokens are. */
export const sequenceAxes = ["dp_replicate", "dp_shard", "ep"] as const satisfies MeshAxis[];
export const tokenAxes = ["dp_replicate", "dp_shard", "cp", "ep"] as const satisfies MeshAxis[];

/**
 * Axes over which FSDP shards weights: devices that see other tokens and have the same weights, as
 * torchtitan's `dp_shard_cp`. An expert's weights are already different along ep.
 */
export const shardAxes = ["dp_shard", "cp", "ep"] as const satisfies MeshAxis[];
export const expertShardAxes = ["dp_shard", "cp"] as const satisfies MeshAxis[];
