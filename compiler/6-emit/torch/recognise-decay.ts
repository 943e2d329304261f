/** Logarithms of decays, as GLA and its kin have them: max(c · log sigmoid(x), least), written −softplus(−x). */

import type { NodeOf, ValueId } from "../../ir/graph.js";
import { sameAxes } from "../../ir/types.js";
import { type FusedStep, type GraphView, fused } from "./steps.js";

export function logSigmoid(view: GraphView, node: NodeOf<"map">): FusedStep | null {
  const output = node.outputs[0]!;
  const bounded = withConstant(view, output, "maximum");
  const scaled = withConstant(view, bounded?.x ?? output, "mul");
  const log = scaled?.x ?? bounded?.x ?? output;
  const [positive] = view.map(log, "neg") ?? [];
  const [negative] = (positive === undefined ? null : view.map(positive, "softplus")) ?? [];
  const [x] = (negative === undefined ? null : view.map(negative, "neg")) ?? [];
  if (x === undefined || !sameAxes(view.axes(x), view.axes(output))) return null;
  const between = [bounded?.x, scaled?.x, positive, negative];
  if (!between.every((id) => id === undefined || view.usedOnce(id))) return null;
  const attributes = { scale: scaled?.constant ?? 1, least: bounded?.constant ?? null };
  return fused("log_sigmoid", attributes, [x], output);
}

function withConstant(
  view: GraphView,
  id: ValueId,
  fn: "maximum" | "mul",
): { readonly x: ValueId; readonly constant: number } | null {
  for (const [x, other] of view.pairs(id, fn)) {
    const constant = view.constant(other);
    if (constant !== null) return { x, constant };
  }
  return null;
}
