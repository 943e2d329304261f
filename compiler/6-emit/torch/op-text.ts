/** Every op as a Python expression; one row each. */

import type { NodeOf } from "../../ir/graph.js";
import type { OpName } from "../../ir/ops.js";
import { type Axis, InternalFault, hasAxis, withoutAxes } from "../../ir/types.js";
import { attend } from "./attend-text.js";
import { fusedRows } from "./fused-text.js";
import { dimensionOf, dimensions, fit } from "./layout.js";
import { dot, take } from "./product-text.js";
import { recurrence, stateScan } from "./recurrence-row.js";
import { condition, scalarText } from "./scalar-text.js";
import { selectiveText } from "./selective-text.js";
import type { Step } from "./steps.js";
import { type Text, atom, tightness, within } from "./text.js";
import { type Row, type Surroundings, Writer, names } from "./writer.js";

const never = (op: string) => (): never => {
  throw new InternalFault(`the torch target meets ${op}`);
};

const rows: { readonly [Op in OpName]: Row<NodeOf<Op>> } = {
  constant: never("a constant of its own"),
  iota: ({ attributes: { axis } }, w) =>
    atom(`torch.arange(${w.size(axis)}, device=${w.s.device()}, dtype=torch.float32)`),
  map: ({ attributes: { fn }, inputs }, w) => {
    const args = inputs.map((_, i) => w.broadcast(i));
    if (fn === "select") {
      const made = w.s.condition(inputs[0]!);
      const test = made
        ? condition(
            made.fn,
            made.inputs.map((id) => fit(w.s.text(id), w.s.axes(id), names(w.output))),
          )
        : condition("ne", [args[0]!, atom("0")]);
      return scalarText.select([test, args[1]!, args[2]!]);
    }
    if (fn === "softplus" || fn === "maximum" || fn === "minimum") {
      const text = scalarText[fn](args);
      if (text.text.startsWith(`${fn}(`)) w.s.use(fn);
      return text;
    }
    return scalarText[fn](args);
  },
  reduce: ({ attributes: { fn, over } }, w) =>
    atom(`${w.atomOf(0)}.${fn === "sum" ? "sum" : "amax"}(${dimensions(w.axes(0), over)})`),
  dot: ({ attributes: { over } }, w) => dot(over, w),
  expand: ({ attributes: { axes } }, w) => {
    const own = w.axes(0);
    const sizes = axes.map((axis) =>
      hasAxis({ dtype: "float", axes: own }, axis.name) ? "-1" : w.size(axis),
    );
    if (/^-?[\d.e+-]+$/.test(w.text(0).text)) {
      const shape = axes.map(w.size).join(", ") + (axes.length === 1 ? "," : "");
      return atom(
        `torch.full((${shape}), ${Number(w.text(0).text).toFixed(1)}, device=${w.s.device()})`,
      );
    }
    const text = fit(w.text(0), own, names(axes), true);
    if (sizes.every((size) => size === "-1")) return text;
    return atom(`${within(text, tightness.atom)}.expand(${sizes.join(", ")})`);
  },
  rename: never("a rename"),
  split: ({ attributes: { axis, outer, inner } }, w) =>
    atom(
      `${w.atomOf(0)}.unflatten(${dimensionOf(w.axes(0), axis)}, (${w.size(outer)}, ${w.size(inner)}))`,
    ),
  merge: ({ attributes: { outer, inner, into } }, w) => {
    const rest = withoutAxes(w.output, [into]);
    const at = w.output.findIndex(({ name }) => name === into);
    const order = [...names(rest.slice(0, at)), outer, inner, ...names(rest.slice(at))];
    return atom(
      `${within(fit(w.text(0), w.axes(0), order), tightness.atom)}.flatten(${at}, ${at + 1})`,
    );
  },
  slice: ({ attributes: { axis, start, size } }, w) => {
    const at = w.axes(0).findIndex(({ name }) => name === axis);
    const range = `${start}:${start + size}`;
    const after = w.axes(0).length - 1 - at;
    const index =
      after <= at
        ? ["...", range, ...Array<string>(after).fill(":")]
        : [...Array<string>(at).fill(":"), range];
    return atom(`${w.atomOf(0)}[${index.join(", ")}]`);
  },
  pad: ({ attributes: { axis, before, after } }, w) => {
    const trailing = w.axes(0).length - 1 - w.axes(0).findIndex(({ name }) => name === axis);
    const pads = [...Array<number>(2 * trailing).fill(0), before, after];
    return atom(`F.pad(${w.text(0).text}, (${pads.join(", ")}))`);
  },
  concat: ({ attributes: { axis }, inputs }, w) => {
    const parts = inputs.map((_, i) => fit(w.text(i), w.axes(i), names(w.output), true).text);
    return atom(`torch.cat((${parts.join(", ")}), ${dimensionOf(w.output, axis)})`);
  },
  shift: ({ attributes: { axis, by } }, w) =>
    w.helper("shift", [w.text(0).text, String(by), String(dimensionOf(w.axes(0), axis))]),
  take: ({ attributes: { axis } }, w) => take(axis, w),
  put: ({ attributes: { axis, over } }, w) => {
    const ids = w.axes(0);
    const shared = withoutAxes(ids, over);
    const summed = ids.filter(({ name }) => over.includes(name));
    const rest = w.axes(1).filter(({ name }) => !ids.some((own) => own.name === name));
    const order = names([...shared, ...summed]);
    const found = w.helper("put", [
      w.ordered(0, order),
      fit(w.text(1), w.axes(1), [...order, ...names(rest)], true).text,
      w.size(axis),
      ...(shared.length === 1 ? [] : [`shared=${shared.length}`]),
    ]);
    return w.conform(found, [...shared, axis, ...rest]);
  },
  top_k: ({ attributes: { axis, into } }, w) => {
    const rest = withoutAxes(w.axes(0), [axis]);
    const found = w.helper("top_k", [w.ordered(0, [...names(rest), axis]), w.size(into)]);
    return w.conform(found, [...rest, into]);
  },
  argsort: ({ attributes: { axis } }, w) =>
    atom(`torch.argsort(${w.text(0).text}, dim=${dimensionOf(w.axes(0), axis)}, stable=True)`),
  cumulate: ({ attributes: { fn, axis, reverse, exclusive } }, w) => {
    const at = String(dimensionOf(w.axes(0), axis));
    if (fn === "sum" && !reverse && !exclusive) return atom(`${w.atomOf(0)}.cumsum(${at})`);
    const flags = [...(reverse ? ["reverse=True"] : []), ...(exclusive ? ["exclusive=True"] : [])];
    return w.helper("cumulate", [w.text(0).text, at, `"${fn}"`, ...flags]);
  },
  linear_scan: never("linear_scan, which only chosen forms have"),
  solve: never("solve, which only chunk forms have"),
  grouped_dot: ({ attributes: { over, group } }, w) => {
    const inner = over.map((name) => w.sizeOf(0, name));
    const outer = withoutAxes(w.axes(1), [...over, group]);
    const rest = withoutAxes(w.axes(0), over);
    const joined = (text: string, at: number, count: number): string =>
      count === 1
        ? text
        : `${text}${count === 0 ? `.unsqueeze(${at})` : `.flatten(${at}, ${at + count - 1})`}`;
    const x = fit(w.text(0), w.axes(0), [...names(rest), ...names(inner)]);
    const weight = fit(w.text(1), w.axes(1), [group, ...names(inner), ...names(outer)]);
    const matrices = joined(within(weight, tightness.atom), 1 + inner.length, outer.length);
    const product = w.helper("grouped_dot", [
      joined(within(x, tightness.atom), rest.length, inner.length),
      joined(matrices, 1, inner.length),
      w.text(2).text,
    ]);
    const sizes = outer.map(w.size).join(", ");
    const apart = outer.length === 0 ? "squeeze(-1)" : `unflatten(-1, (${sizes}))`;
    const found = outer.length === 1 ? product : atom(`${product.text}.${apart}`);
    return w.conform(found, [...rest, ...outer]);
  },
  grouped_outer: never("grouped_outer, which only gradients have"),
  conv: ({ attributes: { axis, taps } }, w) => {
    const rest = w.axes(0).filter(({ name }) => name !== "batch" && name !== axis);
    const found = w.helper("causal_conv", [
      w.ordered(0, ["batch", axis, ...names(rest)]),
      fit(w.text(1), w.axes(1), [taps, ...names(rest)], true).text,
      w.text(2).text,
      ...w.s.cache,
    ]);
    const batch = [w.sizeOf(0, "batch"), w.sizeOf(0, axis)];
    return w.conform(found, [...batch, ...rest]);
  },
  rotate: never("rotate, which is written out before"),
  delay: ({ attributes: { axis, by } }, w) => {
    const rest = w.axes(0).filter(({ name }) => name !== "batch" && name !== axis);
    const order = ["batch", axis, ...names(rest)];
    const found = w.helper("delay", [
      w.ordered(0, order),
      String(by),
      w.text(1).text,
      ...w.s.cache,
    ]);
    return w.conform(found, [w.sizeOf(0, "batch"), w.sizeOf(0, axis), ...rest]);
  },
  slot_positions: ({ attributes: { experts } }, w) => {
    const args = [w.text(0).text, w.text(1).text, w.text(2).text, w.size(experts)];
    return w.helper("slot_positions", [...args, ...w.s.cache]);
  },
  conv_input_gradient: never("conv_input_gradient"),
  conv_weight_gradient: never("conv_weight_gradient"),
  attend: (node, w) => attend(node, w),
  recurrence: ({ attributes }, w) => recurrence(attributes, null, w),
  state_scan: (node, w) => stateScan(node, w),
  selective_scan: ({ attributes }, w) => {
    w.s.use("selective_scan");
    const start = { text: atom("None"), axes: w.axes(0) }; // zeros, which the kernel makes itself
    const operands = w.inputs.map((_, i) => (i === 0 ? start : w.operand(i)));
    return selectiveText(attributes, operands, w.output, w.s.letters, w.s.cache);
  },
  scan: never("a scan in an expression"),
  adamw: never("adamw"),
  muon: never("muon"),
  call: never("a call in an expression"),
  state: never("state"),
  write: never("write"),
  lag: never("lag"),
  position: never("position"),
  source: never("source"),
  token_mean: never("token_mean"),
  mix: never("mix"),
  patches: never("patches"),
  all_tokens: never("all_tokens"),
};

/** The expression of a step with one result. */
export function stepText(step: Step, output: readonly Axis[], surroundings: Surroundings): Text {
  const w = new Writer(surroundings, step.inputs, output);
  const table = "fused" in step ? fusedRows : rows;
  return (table as Record<string, Row<Step>>)[step.op]!(step, w);
}
