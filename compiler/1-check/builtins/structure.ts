/** Axes themselves: names, sizes, positions, pieces. Nothing here computes; it rearranges. */

import { messages } from "../../diagnostics/messages.generated.js";
import { type Axis, findAxis, hasAxis } from "../../ir/types.js";
import { alignable } from "../elaborate/arithmetic.js";
import { reservedAxes } from "../elaborate/axes.js";
import { report } from "../elaborate/frame.js";
import { asAxes, asAxisNames } from "../elaborate/kinds.js";
import { type CompileValue, errorValue, numberValue, tensorValue } from "../values.js";
import {
  type Builtin,
  type BuiltinCall,
  axesOf,
  axisOf,
  numberOf,
  parameters,
  single,
  tensor,
} from "./builtin.js";

const rename: Builtin = {
  usage: "rename(x, from, to)",
  doc: "the same tensor with axes under other names, pairwise",
  parameters: parameters("x tensor", "from axes", "to axes"),
  run: (call) => {
    const from = axesOf(call, "from", "x");
    if (!from) return errorValue;
    const to = asAxisNames(call.given.get("to")!.value);
    const x = tensor(call, "x");
    if (to.length !== from.length)
      return report(
        call.frame,
        messages.wrongKind({
          what: "`to`",
          expected: `${from.length} new names`,
          found: `${to.length}`,
        }),
        [{ span: call.given.get("to")!.span, text: "these names" }],
      );
    if (!canTake(call, "to", to, from)) return errorValue;
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
    const name = single(call, "axis", asAxisNames(argument.value));
    if (name === null) return errorValue;
    const [axis] = asAxes(argument.value);
    if (axis) return tensorValue(call.frame.builder.iota(axis));
    return report(call.frame, messages.unknownAxis({ name }), [
      { span: argument.span, text: "no size" },
    ]);
  },
};

/** True when x can have axes of these names in place of `from`; reports the first that it cannot. */
function canTake(
  call: BuiltinCall,
  parameter: string,
  names: readonly string[],
  from: readonly string[],
): boolean {
  const { axes } = call.frame.builder.type(tensor(call, "x"));
  const clash = names.find(
    (name, i) =>
      reservedAxes.has(name) ||
      names.indexOf(name) !== i ||
      (!from.includes(name) && axes.some((axis) => axis.name === name)),
  );
  if (clash === undefined) return true;
  const { span } = call.given.get(parameter)!;
  if (reservedAxes.has(clash))
    report(call.frame, messages.reservedAxis({ name: clash }), [
      { span, text: "added by the compiler" },
    ]);
  else
    report(call.frame, messages.duplicateAxis({ axis: clash }), [
      { span, text: `makes a second \`${clash}\`` },
    ]);
  return false;
}

const slice: Builtin = {
  usage: "slice(x, axis, start, size)",
  doc: "`size` elements of an axis from `start` on",
  parameters: parameters("x tensor", "axis axes", "start number", "size number"),
  run: (call) => {
    const axis = axisOf(call, "axis", "x");
    if (axis === null) return errorValue;
    const x = tensor(call, "x");
    const whole = findAxis(call.frame.builder.type(x), axis)!.size;
    const [start, length] = [numberOf(call, "start")!, numberOf(call, "size")!];
    const whole_ =
      Number.isSafeInteger(start) &&
      Number.isSafeInteger(length) &&
      start >= 0 &&
      length >= 1 &&
      start + length <= whole;
    if (whole_) return tensorValue(call.frame.builder.slice(x, axis, start, length));
    return report(
      call.frame,
      messages.badSize({ name: axis, value: `${start} … ${start + length}, of ${whole}` }),
      [{ span: call.call.span, text: "outside the axis" }],
    );
  },
};

const split: Builtin = {
  usage: "split(x, axis, into)",
  doc: "an axis as two or more, outermost first, whose sizes multiply to its own",
  parameters: parameters("x tensor", "axis axes", "into axes"),
  run: (call) => {
    const axis = axisOf(call, "axis", "x");
    if (axis === null) return errorValue;
    const into = asAxes(call.given.get("into")!.value);
    const { builder } = call.frame;
    const whole = findAxis(builder.type(tensor(call, "x")), axis)!.size;
    if (into.length === 0 || into.reduce((n, part) => n * part.size, 1) !== whole)
      return report(
        call.frame,
        messages.badSize({
          name: axis,
          value: `${whole}, which is not ${into.map((part) => part.size).join(" × ") || "said"}`,
        }),
        [{ span: call.given.get("into")!.span, text: "must multiply to it" }],
      );
    const names = into.map(({ name }) => name);
    if (!canTake(call, "into", names, [axis])) return errorValue;
    let [x, rest, current] = [tensor(call, "x"), whole, axis];
    into.slice(0, -1).forEach((outer, i) => {
      rest /= outer.size;
      const last = i === into.length - 2;
      const inside = { name: last ? into[i + 1]!.name : `${axis}…${i}`, size: rest };
      x = builder.op("split", { axis: current, outer, inner: inside }, [x]);
      current = inside.name;
    });
    return tensorValue(into.length === 1 ? builder.rename(x, { [axis]: into[0]!.name }) : x);
  },
};

const merge: Builtin = {
  usage: "merge(x, outer, inner, into)",
  doc: "two axes as one, `outer` varying slowest",
  parameters: parameters("x tensor", "outer axis", "inner axis", "into axis"),
  run: (call) => {
    const outer = axisOf(call, "outer", "x");
    const inside = axisOf(call, "inner", "x");
    const into = single(call, "into", asAxisNames(call.given.get("into")!.value));
    if (outer === null || inside === null || into === null) return errorValue;
    if (outer === inside)
      return report(call.frame, messages.duplicateAxis({ axis: outer }), [
        { span: call.given.get("inner")!.span, text: "the outer axis again" },
      ]);
    if (!canTake(call, "into", [into], [outer, inside])) return errorValue;
    return tensorValue(
      call.frame.builder.op("merge", { outer, inner: inside, into }, [tensor(call, "x")]),
    );
  },
};

const concat: Builtin = {
  usage: "concat(a, b, axis)",
  doc: "two tensors joined along an axis",
  parameters: parameters("a tensor", "b tensor", "axis axes"),
  run: (call) => {
    const axis = axisOf(call, "axis", "a");
    if (axis === null || axisOf(call, "axis", "b") === null) return errorValue;
    const { builder } = call.frame;
    const sides = (["a", "b"] as const).map((side) => ({
      ...call.given.get(side)!,
      id: tensor(call, side),
    }));
    if (
      !alignable(
        sides.map(({ id }) => id),
        sides,
        call.call.span,
        call.frame,
        [axis],
      )
    )
      return errorValue;
    const [a, b] = sides.map(({ id }) => id) as [number, number];
    const rest = (id: number): Axis[] => builder.type(id).axes.filter(({ name }) => name !== axis);
    const all = [...rest(a), ...rest(b).filter(({ name }) => !hasAxis(builder.type(a), name))];
    const fit = (id: number): number =>
      builder.conform(id, [...all, findAxis(builder.type(id), axis)!]);
    return tensorValue(builder.op("concat", { axis }, [fit(a), fit(b)]));
  },
};

/** `pick(x, ids, axis)`: x at one index of an axis, chosen per token. */
const pick: Builtin = {
  usage: "pick(x, ids, axis)",
  doc: "the element of an axis that `ids` names, for every token",
  parameters: parameters("x tensor", "ids tensor", "axis axes"),
  run: (call): CompileValue => {
    const axis = axisOf(call, "axis", "x");
    if (axis === null || !areIds(call, "x", axis)) return errorValue;
    return tensorValue(
      call.frame.builder.op("take", { axis }, [tensor(call, "x"), tensor(call, "ids")]),
    );
  },
};

const row: Builtin = {
  usage: "row(table, ids, axis)",
  doc: "the row of a table that `ids` names, for every token",
  parameters: parameters("table tensor", "ids tensor", "axis axes"),
  run: (call): CompileValue => {
    const axis = axisOf(call, "axis", "table");
    if (axis === null || !areIds(call, "table", axis)) return errorValue;
    return tensorValue(
      call.frame.builder.op("take", { axis }, [tensor(call, "table"), tensor(call, "ids")]),
    );
  },
};

/** Whether `ids` can be looked up in `table`: numbers of rows, whose axes fit; reports it otherwise. */
function areIds(call: BuiltinCall, table: string, axis: string): boolean {
  const { builder, environment } = call.frame;
  const ids = { ...call.given.get("ids")!, id: tensor(call, "ids") };
  // a layer on its own does not know what it will be given
  if (builder.type(ids.id).dtype !== "int" && !environment.generic) {
    const expected = "ids, as `tokens` and `targets` give them";
    report(call.frame, messages.wrongKind({ what: "`ids`", expected, found: "a tensor" }), [
      { span: ids.span, text: "this is a tensor of other numbers" },
    ]);
    return false;
  }
  const looked = { ...call.given.get(table)!, id: tensor(call, table) };
  const { size } = findAxis(builder.type(looked.id), axis)!;
  if (environment.vocabulary !== null && size < environment.vocabulary && !environment.generic) {
    report(call.frame, messages.badSize({ name: axis, value: size }), [
      { span: looked.span, text: `ids go up to ${environment.vocabulary - 1}` },
    ]);
    return false;
  }
  return alignable([looked.id, ids.id], [looked, ids], call.call.span, call.frame);
}

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
  ["row", row],
] as const;
