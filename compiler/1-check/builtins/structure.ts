/** Axes themselves: names, sizes, positions, pieces. Nothing here computes; it rearranges. */

import { messages } from "../../diagnostics/messages.generated.js";
import { type Axis, findAxis, hasAxis } from "../../ir/types.js";
import { reservedAxes } from "../elaborate/axes.js";
import { report } from "../elaborate/frame.js";
import { asAxes, asAxisNames } from "../elaborate/kinds.js";
import { type CompileValue, errorValue, numberValue, tensorValue } from "../values.js";
import { type Builtin, type BuiltinCall, axesOf, numberOf, parameters, tensor } from "./builtin.js";

const rename: Builtin = {
  usage: "rename(x, from, to)",
  doc: "the same tensor with axes under other names, pairwise",
  parameters: parameters("x tensor", "from axes", "to axes"),
  run: (call) => {
    const from = axesOf(call, "from", "x");
    if (!from) return errorValue;
    const to = asAxisNames(call.given.get("to")!.value);
    const x = tensor(call, "x");
    const own = call.frame.builder.type(x).axes;
    const clash = to.find(
      (name) =>
        reservedAxes.has(name) || (!from.includes(name) && own.some((axis) => axis.name === name)),
    );
    if (clash !== undefined || to.length !== from.length || new Set(to).size !== to.length)
      return report(
        call.frame,
        clash === undefined
          ? messages.wrongKind({
              what: "`to`",
              expected: `${from.length} new names`,
              found: `${to.length}`,
            })
          : messages.duplicateAxis({ axis: clash }),
        [{ span: call.given.get("to")!.span, text: "these names" }],
      );
    return tensorValue(
      call.frame.builder.rename(x, Object.fromEntries(from.map((name, i) => [name, to[i]!]))),
    );
  },
};

const inner: Builtin = {
  usage: "inner(axes)",
  doc: "axes of the same sizes under new names, for a map from axes onto themselves",
  parameters: parameters("axes axes"),
  run: ({ given }) => ({
    kind: "axes",
    axes: asAxes(given.get("axes")!.value).map((axis) => ({ ...axis, name: `${axis.name}'` })),
  }),
};

const last: Builtin = {
  usage: "last(axes)",
  doc: "the last of several axes",
  parameters: parameters("axes axes"),
  run: ({ given }) => ({ kind: "axes", axes: asAxes(given.get("axes")!.value).slice(-1) }),
};

const size: Builtin = {
  usage: "size(axes)",
  doc: "the number of elements along axes",
  parameters: parameters("axes axes"),
  run: ({ given }) => {
    const axes = asAxes(given.get("axes")!.value);
    const value = axes.reduce((product, axis) => product * axis.size, 1);
    const label = axes.some((axis) => axis.label !== undefined)
      ? axes.map((axis) => axis.label ?? axis.size).join(" * ")
      : undefined;
    return label === undefined ? numberValue(value) : { kind: "number", value, label };
  },
};

const iota: Builtin = {
  usage: "iota(axis)",
  doc: "0, 1, 2, … along an axis",
  parameters: parameters("axis axes"),
  run: (call) => {
    const argument = call.given.get("axis")!;
    const [axis] = asAxes(argument.value);
    if (axis) return tensorValue(call.frame.builder.iota(axis));
    const name = asAxisNames(argument.value)[0] ?? "?";
    return report(call.frame, messages.unknownAxis({ name }), [
      { span: argument.span, text: "no size" },
    ]);
  },
};

/** An axis argument whose size may be new to the frame. */
function freshAxis(call: BuiltinCall, name: string, size: number): Axis {
  return { name: asAxisNames(call.given.get(name)!.value)[0] ?? "?", size };
}

const slice: Builtin = {
  usage: "slice(x, axis, start, size)",
  doc: "`size` elements of an axis from `start` on",
  parameters: parameters("x tensor", "axis axes", "start number", "size number"),
  run: (call) => {
    const over = axesOf(call, "axis", "x");
    if (!over) return errorValue;
    const [axis] = over;
    const x = tensor(call, "x");
    const whole = findAxis(call.frame.builder.type(x), axis!)!.size;
    const [start, length] = [numberOf(call, "start")!, numberOf(call, "size")!];
    const whole_ =
      Number.isSafeInteger(start) &&
      Number.isSafeInteger(length) &&
      start >= 0 &&
      length >= 1 &&
      start + length <= whole;
    if (whole_) return tensorValue(call.frame.builder.slice(x, axis!, start, length));
    return report(
      call.frame,
      messages.badSize({ name: axis!, value: `${start} … ${start + length}, of ${whole}` }),
      [{ span: call.call.span, text: "outside the axis" }],
    );
  },
};

const split: Builtin = {
  usage: "split(x, axis, into)",
  doc: "an axis as two or more, outermost first, whose sizes multiply to its own",
  parameters: parameters("x tensor", "axis axes", "into axes"),
  run: (call) => {
    const over = axesOf(call, "axis", "x");
    if (!over) return errorValue;
    const into = asAxes(call.given.get("into")!.value);
    const { builder } = call.frame;
    const whole = findAxis(builder.type(tensor(call, "x")), over[0]!)!.size;
    if (into.length === 0 || into.reduce((n, axis) => n * axis.size, 1) !== whole)
      return report(
        call.frame,
        messages.badSize({
          name: over[0]!,
          value: `${whole}, which is not ${into.map((a) => a.size).join(" × ")}`,
        }),
        [{ span: call.given.get("into")!.span, text: "must multiply to it" }],
      );
    let [x, rest] = [tensor(call, "x"), whole];
    let axis = over[0]!;
    into.slice(0, -1).forEach((outer, i) => {
      rest /= outer.size;
      const last = i === into.length - 2;
      const remainder = { name: last ? into[i + 1]!.name : `${axis}…`, size: rest };
      x = builder.op("split", { axis, outer, inner: remainder }, [x]);
      axis = remainder.name;
    });
    return tensorValue(into.length === 1 ? builder.rename(x, { [axis]: into[0]!.name }) : x);
  },
};

const merge: Builtin = {
  usage: "merge(x, outer, inner, into)",
  doc: "two axes as one, `outer` varying slowest",
  parameters: parameters("x tensor", "outer axis", "inner axis", "into axis"),
  run: (call) => {
    const outer = axesOf(call, "outer", "x");
    const inside = axesOf(call, "inner", "x");
    if (!outer || !inside) return errorValue;
    const into = freshAxis(call, "into", 0).name;
    return tensorValue(
      call.frame.builder.op("merge", { outer: outer[0]!, inner: inside[0]!, into }, [
        tensor(call, "x"),
      ]),
    );
  },
};

const concat: Builtin = {
  usage: "concat(a, b, axis)",
  doc: "two tensors joined along an axis",
  parameters: parameters("a tensor", "b tensor", "axis axes"),
  run: (call) => {
    const over = axesOf(call, "axis", "a");
    if (!over || !axesOf(call, "axis", "b")) return errorValue;
    const { builder } = call.frame;
    const [a, b] = [tensor(call, "a"), tensor(call, "b")];
    const rest = (id: number): Axis[] =>
      builder.type(id).axes.filter((axis) => axis.name !== over[0]);
    const all = [...rest(a), ...rest(b).filter((axis) => !hasAxis(builder.type(a), axis.name))];
    const fit = (id: number): number =>
      builder.conform(id, [...all, findAxis(builder.type(id), over[0]!)!]);
    return tensorValue(builder.op("concat", { axis: over[0]! }, [fit(a), fit(b)]));
  },
};

/** `pick(x, ids, axis)`: x at one index of an axis, chosen per token. */
const pick: Builtin = {
  usage: "pick(x, ids, axis)",
  doc: "the element of an axis that `ids` names, for every token",
  parameters: parameters("x tensor", "ids tensor", "axis axes"),
  run: (call): CompileValue => {
    const over = axesOf(call, "axis", "x");
    if (!over) return errorValue;
    return tensorValue(
      call.frame.builder.op("take", { axis: over[0]! }, [tensor(call, "x"), tensor(call, "ids")]),
    );
  },
};

export const structureBuiltins = [
  ["rename", rename],
  ["inner", inner],
  ["last", last],
  ["size", size],
  ["iota", iota],
  ["slice", slice],
  ["split", split],
  ["merge", merge],
  ["concat", concat],
  ["pick", pick],
] as const;
