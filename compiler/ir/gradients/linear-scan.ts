/**
 * The gradient of a linear scan: the same scan backwards.
 *
 *     g_t = dh_t + a_{t+1} ∘ g_{t+1}      da_t = g_t ∘ h_{t−1}      db_t = g_t      dh₀ = a₁ ∘ g₁
 *
 * In the max-plus semiring a step takes one of its sides, and s_t = [a_t + h_{t−1} is taken] stands for a_t:
 *
 *     g_t = dh_t + s_{t+1} g_{t+1}        da_t = s_t g_t            db_t = (1 − s_t) g_t
 */

import type { GraphBuilder } from "../builder.js";
import type { ValueId } from "../graph.js";
import { hasAxis } from "../types.js";
import { statesBefore } from "../states-before.js";
import { type GradientRule, full, reduceTo } from "./rule.js";

export const linearScanGradient: GradientRule<"linear_scan"> = (b, node, [d]) => {
  const { axis, semiring, modulus, reverse, ties } = node.attributes;
  const [a, input, initial] = node.inputs as [ValueId, ValueId, ValueId];
  const h = node.outputs[0]!;
  const { axes } = b.type(h);
  const before = statesBefore(b, h, initial, axis, reverse);
  const taken =
    semiring === "plus-times" ? a : b.map(ties === "state" ? "ge" : "gt", b.add(a, before), input);
  const g = b.op("linear_scan", { ...backwards, axis, reverse: !reverse }, [
    nextAlong(b, taken, axis, reverse),
    full(b, d!, b.type(h)),
    b.zeros(b.type(initial).axes),
  ]);
  const first = reverse ? b.size(h, axis) - 1 : 0;
  const start = b.slice(b.conform(b.mul(taken, g), axes), axis, first, 1);
  const dInitial = b.conform(b.sum(start, [axis]), b.type(initial).axes);
  if (semiring === "max-plus") {
    const da = reduceTo(b, b.mul(g, taken), axes, b.type(a).axes);
    return [da, b.mul(g, b.sub(b.constant(1), taken)), dInitial];
  }
  // with a modulus `a` says where documents start: nothing flows there
  const da = modulus === null ? reduceTo(b, b.mul(g, before), axes, b.type(a).axes) : null;
  return [da, g, dInitial];
};

const backwards = { semiring: "plus-times", modulus: null, ties: "state" } as const;

/** x of the next step; where there is none it meets a cotangent of 0, whatever it is. */
function nextAlong(b: GraphBuilder, x: ValueId, axis: string, reverse: boolean): ValueId {
  return hasAxis(b.type(x), axis) ? b.op("shift", { axis, by: reverse ? 1 : -1 }, [x]) : x;
}
