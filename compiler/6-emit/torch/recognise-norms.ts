/** Root-mean-square and Euclidean norms, with the silu before and the gate behind them: one pass on a GPU. */

import type { NodeOf, ValueId } from "../../ir/graph.js";
import { sameAxes } from "../../ir/types.js";
import { rmsNorm } from "./leaves.js";
import { activatedConv } from "./recognise-conv.js";
import { moduleOf, siluMul, siluOf } from "./recognise-experts.js";
import { type FusedStep, type GraphView, fused } from "./steps.js";

export function normed(view: GraphView, node: NodeOf<"map">): FusedStep | null {
  for (const [y, weight] of view.pairs(node.outputs[0]!, "mul")) {
    const path = moduleOf(view.parameterPath(weight));
    const leaf = path === null ? undefined : view.leaves.get(path);
    if (leaf?.kind !== "RMSNorm") continue;
    const x = rmsNorm(view.graph, y, leaf.outer);
    if (x !== null)
      return fused("rms_norm", { path: path!, over: leaf.outer }, [x], node.outputs[0]!);
  }
  return null;
}

/** silu(gate) · norm(x), where nothing else needs the norm and the gate has its axes. */
export function gatedNorm(view: GraphView, node: NodeOf<"map">): FusedStep | null {
  const product = siluMul(view, node);
  if (product?.op !== "silu_mul") return null;
  const [gate, up] = product.inputs as [ValueId, ValueId];
  const made = view.producer(up);
  const norm = made?.op === "map" && view.usedOnce(up) ? normed(view, made) : null;
  if (norm?.op !== "rms_norm") return null;
  return fused("rms_norm", norm.attributes, [...norm.inputs, gate], node.outputs[0]!);
}

/** x · rsqrt(Σ x² + ε) along x's last axis, or that times a constant. */
export function l2Norm(view: GraphView, node: NodeOf<"map">): FusedStep | null {
  const output = node.outputs[0]!;
  for (const [y, factor] of view.pairs(output, "mul")) {
    const scale = view.constant(factor);
    if (scale !== null && view.usedOnce(y)) return unit(view, y, scale, output);
  }
  return unit(view, output, 1, output);
}

function unit(view: GraphView, y: ValueId, scale: number, output: ValueId): FusedStep | null {
  for (const [x, inverse] of view.pairs(y, "mul")) {
    const [added] = view.map(inverse, "rsqrt") ?? [];
    const [total, small] = (added === undefined ? null : view.map(added, "add")) ?? [];
    const sum = total === undefined ? null : view.reduce(total, "sum");
    const epsilon = small === undefined ? null : view.constant(small);
    const [squared] = (sum && view.map(sum.x, "square")) ?? [];
    const last = view.axes(x).at(-1);
    if (!sum || epsilon === null || squared !== x || sum.over.join() !== last?.name) continue;
    if (!sameAxes(view.axes(x), view.axes(y)) || !sameAxes(view.axes(y), view.axes(output)))
      continue;
    const before = view.used(x, 2) ? siluOf(view, x) : null; // by the square and the product alone
    const conv = before !== null && epsilon === 1e-6 ? activatedConv(view, x, output) : null;
    if (conv) return { ...conv, attributes: { ...conv.attributes, norm: scale } };
    const attributes = { epsilon, silu: before !== null, scale };
    return fused("l2_norm", attributes, [before ?? x], output);
  }
  return null;
}
