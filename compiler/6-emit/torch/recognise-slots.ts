/** Routes: tokens to the slots of their experts and back, which kernels of their own do without atomics. */

import type { NodeOf, ValueId } from "../../ir/graph.js";
import { sameAxes } from "../../ir/types.js";
import { type FusedStep, type GraphView, fused } from "./steps.js";

/** A slot's token: ⌊order / picks⌋ of the order that sorts a row's picks by expert. */
function tokenOfSlot(view: GraphView, id: ValueId): { order: ValueId; picks: number } | null {
  const found = view.producer(id);
  const step = found?.op === "map" ? quotient(view, found) : null;
  if (step?.op !== "quotient") return null;
  const [order] = step.inputs as [ValueId];
  return view.producer(order)?.op === "argsort" ? { order, picks: step.attributes.by } : null;
}

/** Rows [batch, slots] and something besides. */
const isRows = (view: GraphView, id: ValueId, ids: ValueId): boolean => {
  const [batch, slots, ...rest] = view.axes(id);
  return rest.length > 0 && sameAxes([batch!, slots!], view.axes(ids));
};

export function dispatch(view: GraphView, node: NodeOf<"take">): FusedStep | null {
  const [table, ids] = node.inputs as [ValueId, ValueId];
  const found = tokenOfSlot(view, ids);
  const [batch, time] = view.axes(table);
  if (!found || batch?.name !== "batch" || time?.name !== node.attributes.axis) return null;
  if (!isRows(view, node.outputs[0]!, ids)) return null;
  return fused("dispatch", { picks: found.picks }, [table, found.order], node.outputs[0]!);
}

export function combine(view: GraphView, node: NodeOf<"put">): FusedStep | null {
  const [ids, values] = node.inputs as [ValueId, ValueId];
  const found = tokenOfSlot(view, ids);
  if (!found || !isRows(view, values, ids)) return null;
  for (const [y, weights] of view.pairs(values, "mul")) {
    if (!sameAxes(view.axes(weights), view.axes(ids))) continue;
    if (!sameAxes(view.axes(y), view.axes(values))) continue;
    const attributes = { picks: found.picks, time: node.attributes.axis };
    return fused("combine", attributes, [y, weights, found.order], node.outputs[0]!);
  }
  return null;
}

/** to_int(floor(index / n)): float32 has no room for large indices. */
export function quotient(view: GraphView, node: NodeOf<"map">): FusedStep | null {
  const [floor] = view.map(node.outputs[0]!, "to_int") ?? [];
  const [ratio] = (floor === undefined ? null : view.map(floor, "floor")) ?? [];
  const parts = ratio === undefined ? null : view.map(ratio, "div");
  if (!parts || view.graph.values[parts[0]!]!.type.dtype !== "int") return null;
  const by = view.constant(parts[1]!);
  return by === null ? null : fused("quotient", { by }, [parts[0]!], node.outputs[0]!);
}
