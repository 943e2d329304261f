/**
 * Phase 4: a model and a mesh to a placement: which device holds which shard, what crosses which axis of the mesh.
 *
 * Everything is read off the lowered graph of what one device computes: its sequences, its shard of the time. Names
 * say the rest: an axis is shared out wherever it occurs.
 */

import type { Mesh, WrittenPlan } from "../1-check/blocks/mesh.js";
import type { Model } from "../1-check/model.js";
import { type Sizes, lower } from "../2-lower/lower.js";
import { operandForms } from "../3-derive/forms/operands.js";
import type { Graph, Module } from "../ir/graph.js";
import { CollectiveList } from "./collectives.js";
import { type Crossing, crossingsOf } from "./crossing.js";
import { type MeshShape, groupSize, meshShape, sequenceAxes } from "./mesh-shape.js";
import { expertAxes, ownParameters, placedParameters } from "./parameters.js";
import type { Placement, SharedAxes, Stage, Work } from "./placement.js";
import { type Pipeline, inFlight, pipelineOf } from "./stages.js";
import { tensorParallelAxes } from "./tensor-parallel.js";
import { type Uncut, uncutIn } from "./uncut.js";

export type Placed =
  | { readonly kind: "placed"; readonly placement: Placement; readonly module: Module }
  | { readonly kind: "uncut"; readonly uncut: readonly Uncut[] };

/** Sizes of what one device computes; they divide, as 1-check has seen. */
export function localSizes(
  shape: MeshShape,
  { batch, time, packed }: Pick<Work, "batch" | "time" | "packed">,
): Sizes {
  return {
    batch: batch / groupSize(shape, sequenceAxes),
    time: time / shape.sizes.cp,
    packed,
  };
}

export function place(model: Model, { axes, ...plan }: WrittenPlan, work: Work): Placed {
  const shape = meshShape(axes);
  const local = localSizes(shape, work);
  const module = operandForms(lower(model.module, local));
  const uncut = axes.cp === 1 ? [] : uncutOf(module, work.packed);
  if (uncut.length > 0) return { kind: "uncut", uncut };
  const sharedAxes = new Map(
    [...module.functions].map(([name, graph]): [string, SharedAxes] => [
      name,
      { tp: tensorParallelAxes(graph, axes.tp), experts: expertAxes(graph) },
    ]),
  );
  const crossings = new Map<string, Crossing[]>();
  for (const [name, graph] of module.functions)
    crossings.set(
      name,
      crossingsOf(graph, {
        shape,
        sequence: plan.sequence ?? "lasp2",
        packed: work.packed,
        tpAxes: sharedAxes.get(name)!.tp,
      }),
    );
  const own = new Map(
    [...module.functions].map(([name, graph]) => [
      name,
      ownParameters(graph, shape, sharedAxes.get(name)!.tp),
    ]),
  );
  const pipeline = pipelineOf(module, axes.pp, plan.pipeline);
  const parameters = placedParameters(module, own, pipeline);
  const recompute = plan.recompute === "blocks";
  const stages = pipeline.calls.map((calls, index): Stage => {
    const list = new CollectiveList(shape, work, recompute);
    const mine = own
      .get(module.main)!
      .filter(({ path }) => pipeline.own.get(path)!.includes(index));
    const outside = index === axes.pp - 1 ? crossings.get(module.main)! : [];
    list.function(null, mine, outside, 1);
    for (const [name, count] of callCounts(module, calls))
      list.function(name, own.get(name)!, crossings.get(name)!, count);
    list.pipeline(index, pipeline);
    list.tied(index, parameters);
    return {
      index,
      devices: shape.devices / axes.pp,
      blocks: calls.map(({ path, callee }) => ({ path, block: callee })),
      inFlight: inFlight(index, axes.pp, work.parts, pipeline.chunks, plan.pipeline),
      collectives: list.found,
    };
  });
  const bubble = bubbleOf(axes.pp, work.parts, pipeline);
  const placement = { shape, work, local, parameters, stages, recompute, sharedAxes, bubble };
  return { kind: "placed", placement, module };
}

const uncutOf = ({ functions }: Module, packed: boolean): Uncut[] =>
  [...functions].flatMap(([block, graph]) =>
    uncutIn(graph, packed).map((each) => ({ ...each, block })),
  );

/** How often the functions of a stage run, those that blocks call included. */
function callCounts({ functions }: Module, calls: Pipeline["calls"][number]): Map<string, number> {
  const counts = new Map<string, number>();
  const visit = (name: string): void => {
    counts.set(name, (counts.get(name) ?? 0) + 1);
    const { nodes }: Graph = functions.get(name)!;
    for (const node of nodes) if (node.op === "call") visit(node.attributes.callee);
  };
  for (const { callee } of calls) visit(callee);
  return counts;
}

const bubbleOf = (stages: number, parts: number, { chunks }: Pipeline): number =>
  (stages - 1) / (chunks * parts + stages - 1);

/** The plan that is written out; null where it is still to be searched. */
export const writtenPlan = ({ plan }: Mesh): WrittenPlan | null =>
  plan.kind === "written" ? plan : null;
