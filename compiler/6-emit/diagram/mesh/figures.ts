/** What the mesh view draws, as the planner knows it; and words and folds that its panels share. */

import type { MeshAxis } from "../../../1-check/blocks/tables/mesh.js";
import type { Placement, Stage } from "../../../4-place/placement.js";
import type { DeviceMemory } from "../../../5-schedule/device-memory.js";
import { type Folded, fold } from "../repeats.js";

export interface MeshFigures {
  readonly model: string;
  readonly mesh: { readonly name: string; readonly device: string };
  readonly placement: Placement;
  readonly memory: readonly DeviceMemory[]; // of one device of each stage
  readonly capacity: number | null;
}

/** Stages whose devices hold and need the same, as one. */
export interface StageGroup {
  readonly stages: readonly Stage[];
  readonly memory: DeviceMemory;
}

export function stageGroups({ placement, memory }: MeshFigures): StageGroup[] {
  const groups = new Map<string, { stages: Stage[]; memory: DeviceMemory }>();
  placement.stages.forEach((stage, i) => {
    const key = JSON.stringify([memory[i], stage.inFlight, stage.blocks.map(({ block }) => block)]);
    const group = groups.get(key) ?? { stages: [], memory: memory[i]! };
    group.stages.push(stage);
    groups.set(key, group);
  });
  return [...groups.values()];
}

export const axesName = (axes: readonly MeshAxis[]): string => axes.join(" × ");

/** `3`, `0–2` or `0, 2–3` */
export function numbersText(numbers: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([from, to]) => (from === to ? String(from) : `${from}–${to}`)).join(", ");
}

/** `4 × (3 × L, N)` */
export function blocksText(names: readonly string[]): string {
  const say = (folded: readonly Folded[]): string =>
    folded
      .map((item) => {
        if (typeof item === "number") return names[item]!;
        const unit = say(item.unit);
        return `${item.times} × ${item.unit.length > 1 ? `(${unit})` : unit}`;
      })
      .join(", ");
  return say(fold(names));
}

export const plural = (count: number, thing: string): string =>
  `${count} ${thing}${count === 1 ? "" : "s"}`;
