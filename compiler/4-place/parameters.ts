/** Where each parameter of a model lies: experts over ep, heads over tp, and over what is left by FSDP. */

import type { MeshAxis } from "../1-check/blocks/tables/mesh.js";
import type { Graph, Module } from "../ir/graph.js";
import { elementCount } from "../ir/types.js";
import { type MeshShape, expertShardAxes, groupSize, present, shardAxes } from "./mesh-shape.js";
import type { PlacedAxis, PlacedParameter } from "./placement.js";
import type { Pipeline } from "./stages.js";
import { shareAxes } from "./tensor-parallel.js";

/** A parameter as one function has it, placed. */
export interface OwnParameter extends Omit<PlacedParameter, "block" | "stages"> {
  readonly path: string; // within the function
  /** The axes of the mesh over which FSDP shards it; none for a number. */
  readonly fsdp: readonly MeshAxis[];
  readonly expert: boolean;
}

/** The axes of experts that the function's weights have one of each for. */
export function expertAxes({ nodes }: Graph): ReadonlySet<string> {
  return new Set(
    nodes.flatMap((node) => {
      if (node.op === "grouped_dot") return [node.attributes.group];
      if (node.op === "slot_positions") return [node.attributes.experts.name];
      return [];
    }),
  );
}

export function ownParameters(
  graph: Graph,
  shape: MeshShape,
  tpAxes: ReadonlySet<string>,
): OwnParameter[] {
  const { shared } = shareAxes(graph, tpAxes);
  const experts = expertAxes(graph);
  const routed = routedParameters(graph, experts);
  return graph.parameters.map(({ path, value, trainable }): OwnParameter => {
    const { type } = graph.values[value]!;
    const expert = routed.has(value);
    const fsdp = type.axes.length === 0 ? [] : present(shape, expert ? expertShardAxes : shardAxes);
    const model = type.axes.map(({ name }) => [
      ...(expert && experts.has(name) ? present(shape, ["ep"]) : []),
      ...(shared.get(value) === name ? present(shape, ["tp"]) : []),
    ]);
    // by the first axis that comes out even, else unevenly by the first, as FSDP2 does by itself
    const even = type.axes.findIndex(
      ({ size }, i) => (size / groupSize(shape, model[i]!)) % groupSize(shape, fsdp) === 0,
    );
    const axes = type.axes.map(({ name, size }, i): PlacedAxis => {
      const over = [...model[i]!, ...(i === Math.max(even, 0) ? fsdp : [])];
      return { name, size, over, shares: groupSize(shape, over) };
    });
    return {
      path,
      axes,
      trainable,
      fsdp,
      expert,
      elements: elementCount(type),
      held: count(axes, ({ size, shares }) => Math.ceil(size / shares)),
      gathered: count(axes, ({ size, over }) => {
        const kept = over.filter((axis) => !fsdp.includes(axis));
        return Math.ceil(size / groupSize(shape, kept));
      }),
    };
  });
}

/** Those whose rows belong to experts: a table of routers' scores has the same axis and does not. */
function routedParameters(graph: Graph, experts: ReadonlySet<string>): ReadonlySet<number> {
  const bySlot = new Set<number>();
  for (const node of graph.nodes) {
    if (node.op === "grouped_dot") bySlot.add(node.inputs[1]!);
    if (node.op === "take" && experts.has(node.attributes.axis)) {
      const { axes } = graph.values[node.inputs[1]!]!.type;
      if (axes.some(({ name }) => name === "slots")) bySlot.add(node.inputs[0]!);
    }
  }
  // through the elementwise work that stands between a weight and where it is looked up
  for (const node of [...graph.nodes].reverse())
    if (["map", "rename", "expand"].includes(node.op) && node.outputs.some((id) => bySlot.has(id)))
      for (const id of node.inputs) bySlot.add(id);
  return bySlot;
}

const count = (axes: readonly PlacedAxis[], of: (axis: PlacedAxis) => number): number =>
  axes.reduce((product, axis) => product * of(axis), 1);

/** Every parameter of the model once, with the stages that have it. */
export function placedParameters(
  { functions, main }: Module,
  own: ReadonlyMap<string, readonly OwnParameter[]>,
  pipeline: Pipeline,
): PlacedParameter[] {
  const found = new Map<string, PlacedParameter>();
  const add = (parameter: OwnParameter, path: string, block: string, stages: readonly number[]) => {
    const known = found.get(path);
    const all = [...new Set([...(known?.stages ?? []), ...stages])].sort((a, b) => a - b);
    const { axes, trainable, elements, held, gathered } = parameter;
    found.set(path, { path, block, axes, trainable, elements, held, gathered, stages: all });
  };
  for (const parameter of own.get(main)!)
    add(parameter, parameter.path, "", pipeline.own.get(parameter.path)!);
  const visit = (callee: string, path: string, block: string, stage: number): void => {
    for (const parameter of own.get(callee)!)
      add(parameter, `${path}.${parameter.path}`, block, [stage]);
    for (const node of functions.get(callee)!.nodes)
      if (node.op === "call")
        visit(node.attributes.callee, `${path}.${node.attributes.prefix}`, block, stage);
  };
  pipeline.calls.forEach((calls, stage) => {
    for (const { path, callee } of calls) visit(callee, path, path, stage);
  });
  return [...found.values()];
}
