/**
 * The delta rule among recurrences: S_t = (I − β k pᵀ)(Λ_t ∘ S_{t−1}) + β k vᵀ, whose erase and write share their key, so
 * that a token is one row for the kernels and not two.
 */

import type { NodeOf, ValueId } from "../../ir/graph.js";
import { sameAxes } from "../../ir/types.js";
import { type FusedStep, type GraphView, fused } from "./steps.js";

/** From the normal form's operands, where the written key is β k, a is −β k and b is p, and Λ stands at one of the two. */
export function deltaRule(view: GraphView, node: NodeOf<"recurrence">): FusedStep | null {
  const { gated, writes, erases, read, key } = node.attributes;
  if (writes !== 1 || erases !== 1 || read !== "after" || key.length !== 1) return null;
  const [initial, positions, q, ...rest] = node.inputs as [ValueId, ValueId, ValueId, ...ValueId[]];
  const gate = gated ? rest.shift()! : null;
  const [written, v, a, b] = rest as [ValueId, ValueId, ValueId, ValueId];
  const left = withoutDecay(view, a, gate);
  const right = withoutDecay(view, b, gate);
  const decays = Number(left.decayed) + Number(right.decayed);
  if (decays !== (gate === null ? 0 : 1) || !left.negative || right.negative) return null;
  if (!view.same(left.rest, written)) return null;
  const p = right.rest;
  const has = (id: ValueId, name: string): boolean =>
    view.axes(id).some((axis) => axis.name === name);
  if (left.decayed && key.some((name) => has(gate!, name))) return null; // it would scale rows, not what they meet
  for (const [beta, k] of view.pairs(written, "mul")) {
    const strength = !key.some((name) => has(beta, name)) && has(beta, node.attributes.axis);
    if (!strength || !sameAxes(view.axes(k), view.axes(written))) continue;
    const operands = [initial, positions, q, ...(gate === null ? [] : [gate]), k, v, beta];
    const erase = view.same(p, k) ? [] : [p];
    const attributes = { ...node.attributes, erases: 0, erasing: erase.length > 0 };
    return fused("delta_rule", attributes, [...operands, ...erase], node.outputs[0]!);
  }
  return null;
}

/** A product's sign, whether the decay exp(log Λ) is a factor of it, and what else is. */
function withoutDecay(
  view: GraphView,
  id: ValueId,
  gate: ValueId | null,
): { readonly negative: boolean; readonly decayed: boolean; readonly rest: ValueId } {
  const [inner] = view.map(id, "neg") ?? [];
  if (inner !== undefined) {
    const found = withoutDecay(view, inner, gate);
    return { ...found, negative: !found.negative };
  }
  for (const [x, factor] of gate === null ? [] : view.pairs(id, "mul")) {
    const [log] = view.map(factor, "exp") ?? [];
    if (log === undefined || !isGate(view, gate!, log)) continue;
    const found = withoutDecay(view, x, null);
    return { ...found, decayed: true };
  }
  return { negative: false, decayed: false, rest: id };
}

/** The gate itself, or what it is the lower bound of: decays below e^-80 are nothing. */
function isGate(view: GraphView, gate: ValueId, log: ValueId): boolean {
  return (
    view.same(gate, log) ||
    view
      .pairs(gate, "maximum")
      .some(([x, least]) => view.same(x, log) && view.constant(least) !== null)
  );
}
