/** Gradients of sums of products. */

import { hasAxis } from "../types.js";
import { type GradientRule, full } from "./rule.js";

export const reduceGradient: GradientRule<"reduce"> = (b, node, [d]) => {
  const { fn, over } = node.attributes;
  if (fn === "sum") return [d!]; // constant along the summed axes
  const x = node.inputs[0]!;
  const largest = b.map("eq", x, node.outputs[0]!);
  return [b.mul(d!, b.div(largest, b.sum(largest, over)))]; // ties share
};

/** y = Σ_over a·b:  da = Σ over the axes of b alone of dy·b, and the other way round. */
export const dotGradient: GradientRule<"dot"> = (b, node, [d]) => {
  const { over } = node.attributes;
  const sides = node.inputs as readonly [number, number];
  const gradient = (own: number, other: number): number => {
    const alone = b
      .type(other)
      .axes.map((axis) => axis.name)
      .filter((name) => !hasAxis(b.type(own), name) && !over.includes(name));
    return b.dot(d!, other, alone);
  };
  return [gradient(sides[0], sides[1]), gradient(sides[1], sides[0])];
};

export const groupedDotGradient: GradientRule<"grouped_dot"> = (b, node, [d]) => {
  const { over, group } = node.attributes;
  const [x, w, ids] = node.inputs as [number, number, number];
  const dy = full(b, d!, b.type(node.outputs[0]!));
  const outputs = b
    .type(w)
    .axes.map((axis) => axis.name)
    .filter((name) => name !== group && !over.includes(name));
  const experts = b.type(w).axes.find((axis) => axis.name === group)!;
  const slots = b.type(ids).axes.map((axis) => axis.name);
  return [
    b.op("grouped_dot", { over: outputs, group }, [dy, w, ids]),
    b.op("grouped_outer", { group: experts, over: slots }, [x, dy, ids]),
    null,
  ];
};

/** (I − L) X = B:  dB = (I − Lᵀ)⁻¹ dX,  dL = dB Xᵀ. */
export const solveGradient: GradientRule<"solve"> = (b, node, [d]) => {
  const { row, column, transposed } = node.attributes;
  const [matrix] = node.inputs as [number];
  const x = node.outputs[0]!;
  const dx = full(b, d!, b.type(x));
  const dRight = b.op("solve", { row, column, transposed: !transposed }, [matrix, dx]);
  const others = b
    .type(x)
    .axes.map((axis) => axis.name)
    .filter((name) => name !== row && !hasAxis(b.type(matrix), name));
  const [left, right] = transposed ? [x, dRight] : [dRight, x];
  return [b.dot(left, b.rename(right, { [row]: column }), others), dRight];
};

export const convGradient: GradientRule<"conv"> = (b, node, [d]) => {
  const { axis, taps } = node.attributes;
  const [x, w, positions] = node.inputs as [number, number, number];
  const dy = full(b, d!, b.type(node.outputs[0]!));
  const tap = b.type(w).axes.find((a) => a.name === taps)!;
  const axes = b.type(w).axes.filter((a) => a.name !== taps);
  return [
    b.op("conv_input_gradient", { axis, taps }, [dy, w, positions]),
    b.op("conv_weight_gradient", { axis, taps: tap, axes }, [x, dy, positions]),
    null,
  ];
};
