/** The gradient of a rotation: turned back for x; for the angle, along the circle. */

import { type GradientRule, full, reduceTo } from "./rule.js";

/** y = R(θ) x:  dx = R(−θ) dy,  dθ = Σ dy · R(π/2) y over each pair and what shares the angle. */
export const rotateGradient: GradientRule<"rotate"> = (b, node, [d]) => {
  const { over, pairs } = node.attributes;
  const [x, angle] = node.inputs as readonly [number, number];
  const y = node.outputs[0]!;
  const { axes } = b.type(y);
  const dy = full(b, d!, b.type(y));
  const half = b.size(angle, pairs);
  const part = (value: number, from: number): number =>
    b.rename(b.slice(value, over, from, half), { [over]: pairs });
  const dAngle = b.sub(b.mul(part(dy, half), part(y, 0)), b.mul(part(dy, 0), part(y, half)));
  const paired = axes.map((axis) => (axis.name === over ? { name: pairs, size: half } : axis));
  return [
    reduceTo(b, b.op("rotate", { over, pairs }, [dy, b.neg(angle)]), axes, b.type(x).axes),
    reduceTo(b, dAngle, paired, b.type(angle).axes),
  ];
};
