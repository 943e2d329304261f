/** Gradients of what moves elements about: each is the adjoint map. */

import { findAxis, hasAxis } from "../types.js";
import { type GradientRule, full, reduceTo } from "./rule.js";

export const expandGradient: GradientRule<"expand"> = (b, node, [d]) => {
  const x = b.type(node.inputs[0]!);
  return [reduceTo(b, d!, node.attributes.axes, x.axes)];
};

export const renameGradient: GradientRule<"rename"> = (b, node, [d]) => {
  const back = Object.entries(node.attributes.names).map(([from, to]) => [to, from]);
  return [b.rename(d!, Object.fromEntries(back) as Record<string, string>)];
};

export const splitGradient: GradientRule<"split"> = (b, node, [d]) => {
  const { axis, outer, inner } = node.attributes;
  const whole = full(b, d!, b.type(node.outputs[0]!));
  return [b.op("merge", { outer: outer.name, inner: inner.name, into: axis }, [whole])];
};

export const mergeGradient: GradientRule<"merge"> = (b, node, [d]) => {
  const { outer, inner, into } = node.attributes;
  const x = b.type(node.inputs[0]!);
  const whole = full(b, d!, b.type(node.outputs[0]!));
  const axes = { axis: into, outer: findAxis(x, outer)!, inner: findAxis(x, inner)! };
  return [b.op("split", axes, [whole])];
};

export const sliceGradient: GradientRule<"slice"> = (b, node, [d]) => {
  const { axis, start, size } = node.attributes;
  const before = b.size(node.inputs[0]!, axis);
  return [b.pad(full(b, d!, b.type(node.outputs[0]!)), axis, start, before - start - size)];
};

export const padGradient: GradientRule<"pad"> = (b, node, [d]) => {
  const { axis, before } = node.attributes;
  const size = b.size(node.inputs[0]!, axis);
  return [b.slice(full(b, d!, b.type(node.outputs[0]!)), axis, before, size)];
};

export const concatGradient: GradientRule<"concat"> = (b, node, [d]) => {
  const { axis } = node.attributes;
  const whole = full(b, d!, b.type(node.outputs[0]!));
  let start = 0;
  return node.inputs.map((input) => {
    const size = b.size(input, axis);
    start += size;
    return b.slice(whole, axis, start - size, size);
  });
};

export const shiftGradient: GradientRule<"shift"> = (b, node, [d]) => {
  const { axis, by } = node.attributes;
  return [b.op("shift", { axis, by: -by }, [full(b, d!, b.type(node.outputs[0]!))])];
};

export const takeGradient: GradientRule<"take"> = (b, node, [d]) => {
  const [table, ids] = node.inputs as [number, number];
  const { axis } = node.attributes;
  const over = b
    .type(ids)
    .axes.map((a) => a.name)
    .filter((name) => name === axis || !hasAxis(b.type(table), name));
  const put = { axis: findAxis(b.type(table), axis)!, over };
  return [b.op("put", put, [ids, full(b, d!, b.type(node.outputs[0]!))]), null];
};

export const putGradient: GradientRule<"put"> = (b, node, [d]) => {
  const { axis } = node.attributes;
  const whole = full(b, d!, b.type(node.outputs[0]!));
  return [null, b.op("take", { axis: axis.name }, [whole, node.inputs[0]!])];
};

export const cumulateGradient: GradientRule<"cumulate"> = (b, node, [d]) => {
  const { fn, reverse } = node.attributes;
  if (fn === "max") return [null]; // of positions only
  const attributes = { ...node.attributes, reverse: !reverse };
  return [b.op("cumulate", attributes, [full(b, d!, b.type(node.outputs[0]!))])];
};
