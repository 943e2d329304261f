/** Short convolutions with the silu and the norm behind them: one pass on a GPU, which keeps what goes in alone. */

import type { NodeOf, ValueId } from "../../ir/graph.js";
import { moduleOf, siluOf } from "./recognise-experts.js";
import { type FusedStep, type GraphView, fused } from "./steps.js";

type ConvStep = Extract<FusedStep, { op: "short_conv" }>;

export function shortConv(view: GraphView, node: NodeOf<"conv">): FusedStep | null {
  return filtered(view, node, node.outputs[0]!, false);
}

/** With its offset. */
export function biasedConv(view: GraphView, node: NodeOf<"map">): FusedStep | null {
  const output = node.outputs[0]!;
  for (const [y, offset] of view.pairs(output, "add")) {
    const made = view.producer(y);
    const step = made?.op === "conv" ? filtered(view, made, output, true) : null;
    if (step && view.parameterPath(offset) === `${step.attributes.path}.offset`) return step;
  }
  return null;
}

/** silu of a convolution that nothing else needs. */
export function activatedConv(view: GraphView, id: ValueId, output: ValueId): ConvStep | null {
  const x = siluOf(view, id);
  if (x === null || !view.used(x, 2)) return null; // by x · sigmoid(x) alone
  const made = view.producer(x);
  const step =
    made?.op === "conv"
      ? shortConv(view, made)
      : made?.op === "map"
        ? biasedConv(view, made)
        : null;
  if (step?.op !== "short_conv") return null;
  return { ...step, attributes: { ...step.attributes, silu: true }, outputs: [output] };
}

function filtered(
  view: GraphView,
  node: NodeOf<"conv">,
  output: ValueId,
  bias: boolean,
): ConvStep | null {
  const [x, w, positions] = node.inputs as [ValueId, ValueId, ValueId];
  const path = moduleOf(view.parameterPath(w));
  const leaf = path === null ? undefined : view.leaves.get(path);
  if (leaf?.kind !== "ShortConv" || leaf.bias !== bias) return null;
  const attributes = { path: path!, silu: false, norm: null };
  return fused("short_conv", attributes, [x, positions], output) as ConvStep;
}
