/** Experts and their gates: linear layers by expert, silu(gate) · up, and both of them in a route as one step. */

import type { NodeOf, ValueId } from "../../ir/graph.js";
import { sameAxes } from "../../ir/types.js";
import { combine, dispatch } from "./recognise-slots.js";
import { type FusedStep, type GraphView, fused } from "./steps.js";

export const moduleOf = (path: string | null): string | null =>
  path?.endsWith(".weight") ? path.slice(0, -".weight".length) : null;

export function experts(view: GraphView, node: NodeOf<"grouped_dot">): FusedStep | null {
  const [x, w, ids] = node.inputs as [ValueId, ValueId, ValueId];
  const path = moduleOf(view.parameterPath(w));
  const leaf = path === null ? undefined : view.leaves.get(path);
  if (leaf?.kind !== "ExpertLinear") return null;
  return fused("experts", { path: path!, inner: leaf.inner }, [x, ids], node.outputs[0]!);
}

/** The x of x · sigmoid(x). */
export function siluOf(view: GraphView, id: ValueId): ValueId | null {
  for (const [x, gate] of view.pairs(id, "mul")) {
    const [inner] = view.map(gate, "sigmoid") ?? [];
    if (inner !== undefined && inner === x) return x;
  }
  return null;
}

export function siluMul(view: GraphView, node: NodeOf<"map">): FusedStep | null {
  const output = node.outputs[0]!;
  for (const [gated, up] of view.pairs(output, "mul")) {
    const gate = siluOf(view, gated);
    const alike = (id: ValueId): boolean => sameAxes(view.axes(id), view.axes(output));
    if (gate !== null && alike(gate) && alike(up)) return fused("silu_mul", {}, [gate, up], output);
  }
  return null;
}

/** dispatch → down(silu(gate x) · up x) → combine, of one order and the same experts throughout. */
export function routedSwiglu(view: GraphView, node: NodeOf<"put">): FusedStep | null {
  const whole = combine(view, node);
  if (whole?.op !== "combine") return null;
  const [y, weights, order] = whole.inputs as [ValueId, ValueId, ValueId];
  const down = expertsAt(view, y);
  const product = down && view.producer(down.x);
  const gated = product?.op === "map" ? siluMul(view, product) : null;
  if (!down || !gated) return null;
  const [gate, up] = gated.inputs.map((id) => expertsAt(view, id));
  if (!gate || !up || !view.same(gate.x, up.x)) return null;
  if (![gate.ids, up.ids].every((ids) => view.same(ids, down.ids))) return null;
  const rows = view.producer(gate.x);
  const start = rows?.op === "take" ? dispatch(view, rows) : null;
  if (!start || !view.same(start.inputs[1]!, order)) return null;
  const [x] = start.inputs as [ValueId];
  const plain = [x, y, gated.outputs[0]!, node.outputs[0]!].every(
    (id) => view.axes(id).length === 3,
  );
  if (!plain || !sameAxes(view.axes(x), view.axes(node.outputs[0]!))) return null;
  const { picks } = whole.attributes;
  const attributes = { picks, gate: gate.path, up: up.path, down: down.path };
  return fused("routed_swiglu", attributes, [x, weights, order, down.ids], node.outputs[0]!);
}

interface Experts {
  readonly path: string;
  readonly x: ValueId;
  readonly ids: ValueId;
}

function expertsAt(view: GraphView, id: ValueId): Experts | null {
  const node = view.producer(id);
  const step = node?.op === "grouped_dot" ? experts(view, node) : null;
  if (step?.op !== "experts") return null;
  const [x, ids] = step.inputs as [ValueId, ValueId];
  return { path: step.attributes.path, x, ids };
}
