/** A model on a mesh: where everything lies, what crosses the mesh, and what a device needs of memory. */

import type { Mesh, WrittenPlan } from "./1-check/blocks/mesh.js";
import { deviceMemoryBytes } from "./1-check/blocks/devices.js";
import type { Model } from "./1-check/model.js";
import { differentiate } from "./3-derive/differentiate.js";
import { withoutPrediction } from "./3-derive/without-prediction.js";
import { withKernelCalls } from "./4-place/kernel-calls.js";
import { place } from "./4-place/place.js";
import type { Placement, Work } from "./4-place/placement.js";
import type { Uncut } from "./4-place/uncut.js";
import { type DeviceMemory, deviceMemory } from "./5-schedule/device-memory.js";
import type { Module } from "./ir/graph.js";
import type { TensorType } from "./ir/types.js";
import { schedule } from "./5-schedule/schedule.js";

export interface Plan {
  readonly model: string;
  readonly mesh: Mesh;
  readonly placement: Placement;
  /** Of one device of each stage. */
  readonly memory: readonly DeviceMemory[];
  /** What a device has, in bytes; null where that is not known. */
  readonly capacity: number | null;
}

export type Planned =
  | { readonly kind: "planned"; readonly plan: Plan }
  | { readonly kind: "uncut"; readonly uncut: readonly Uncut[] };

export function planOf(model: Model, mesh: Mesh, written: WrittenPlan, work: Work): Planned {
  const placed = place(model, written, work);
  if (placed.kind === "uncut") return placed;
  const { placement, module } = placed;
  const program = schedule(withoutPrediction(differentiate(withKernelCalls(module))));
  const plan: Plan = {
    model: model.name,
    mesh,
    placement,
    memory: deviceMemory(placement, program, predictionOf(module)),
    capacity: deviceMemoryBytes[mesh.device],
  };
  return { kind: "planned", plan };
}

function predictionOf({ functions, main: name }: Module): TensorType {
  const main = functions.get(name)!;
  const { value } = main.outputs.find((output) => output.name === "prediction")!;
  return main.values[value]!.type;
}
