/** Every op, and every fused step, as a Python expression; one row each. */

import type { NodeOf, ValueId } from "../../ir/graph.js";
import type { OpName } from "../../ir/ops.js";
import { type Axis, InternalFault, hasAxis, withoutAxes } from "../../ir/types.js";
import { dimension, dimensionOf, dimensions, fit } from "./layout.js";
import type { Letters } from "./letters.js";
import { dotted } from "./names.js";
import { type Operand, recurrenceText } from "./recurrence-text.js";
import { selectiveText } from "./selective-text.js";
import type { comparisons } from "./scalar-text.js";
import { condition, scalarText } from "./scalar-text.js";
import type { FusedAttributes, FusedStep, Step } from "./steps.js";
import { type Text, atom, tightness, within } from "./text.js";

/** What an expression may ask of the function it stands in. */
export interface Surroundings {
  readonly letters: Letters;
  axes(id: ValueId): readonly Axis[];
  /** A tensor, parameter or number. */
  text(id: ValueId): Text;
  /** The truth value a 0 or 1 was made of, where that is a comparison of what has names. */
  condition(id: ValueId): { fn: keyof typeof comparisons; inputs: readonly ValueId[] } | null;
  /** The submodule at a path of the function's parameters. */
  module(path: string): string;
  /** A tensor on the device at hand. */
  device(): string;
  isZero(id: ValueId): boolean;
  /** Last arguments of what looks back: the function's cache, where it has one. */
  readonly cache: readonly string[];
  /** What must be imported from lsm_torch.nn. */
  use(helper: string): void;
}

const names = (axes: readonly Axis[]): string[] => axes.map(({ name }) => name);

class Writer {
  constructor(
    readonly s: Surroundings,
    readonly inputs: readonly ValueId[],
    readonly output: readonly Axis[],
  ) {}

  axes = (i: number): readonly Axis[] => this.s.axes(this.inputs[i]!);
  text = (i: number): Text => this.s.text(this.inputs[i]!);
  size = (axis: Axis): string => this.s.letters.size(axis);
  operand = (i: number): Operand => ({ text: this.text(i), axes: this.axes(i) });
  sizeOf = (i: number, name: string): Axis => this.axes(i).find((axis) => axis.name === name)!;

  /** Input i with the axes of the output that it has, ready to broadcast. */
  broadcast = (i: number): Text => fit(this.text(i), this.axes(i), names(this.output));

  /** Input i with exactly these axes, of which it has all. */
  ordered = (i: number, axes: readonly string[]): string =>
    fit(this.text(i), this.axes(i), axes).text;

  atomOf = (i: number): string => within(this.text(i), tightness.atom);

  helper(name: string, args: readonly string[]): Text {
    this.s.use(name);
    return atom(`${name}(${args.join(", ")})`);
  }

  /** A result whose axes came out in some order, in the order that is asked for. */
  conform = (text: Text, axes: readonly Axis[]): Text => fit(text, axes, names(this.output));
}

type Row<Node> = (node: Node, w: Writer) => Text;

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
      const shape = axes.map(w.size).join(", ");
      return atom(
        `torch.full((${shape},), ${Number(w.text(0).text).toFixed(1)}, device=${w.s.device()})`,
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

function dot(over: readonly string[], w: Writer): Text {
  const [a, b] = [w.axes(0), w.axes(1)];
  const same = a.length === b.length && a.every((axis, i) => axis.name === b[i]!.name);
  if (same)
    return atom(`(${within(w.text(0), 2)} * ${within(w.text(1), 2)}).sum(${dimensions(a, over)})`);
  const letters = new Map<string, string>();
  const letter = (name: string): string => {
    const known = letters.get(name);
    if (known !== undefined) return known;
    const wished = [name[0]!.toLowerCase(), ..."abcdefghijklmnopqrstuvwxyz"];
    const free = wished.find((one) => /[a-z]/.test(one) && ![...letters.values()].includes(one))!;
    letters.set(name, free);
    return free;
  };
  const spell = (axes: readonly Axis[]): string => names(axes).map(letter).join("");
  const equation = `${spell(a)}, ${spell(b)} -> ${spell(w.output)}`;
  return atom(`torch.einsum("${equation}", ${w.text(0).text}, ${w.text(1).text})`);
}

type Recurrence = NodeOf<"recurrence">["attributes"];

/** A recurrence; a delta rule where β, and a key of its own to erase by, stand behind its other operands. */
function recurrence(attributes: Recurrence, erasing: boolean | null, w: Writer): Text {
  const zero = w.s.isZero(w.inputs[0]!);
  const operands = w.inputs.map((_, i) =>
    i === 0 && zero ? { text: atom("None"), axes: w.axes(0) } : w.operand(i),
  );
  const eraseKey = erasing === true ? operands.pop()! : null;
  const delta = erasing === null ? null : { beta: operands.pop()!, eraseKey };
  w.s.use(delta ? "delta_rule" : "recurrence");
  const initial = zero ? null : w.text(0);
  return recurrenceText(attributes, delta, operands, w.output, w.s.letters, initial, w.s.cache);
}

/** (a, b, positions): a with the axes it has, ready to broadcast. */
function stateScan({ attributes }: NodeOf<"state_scan">, w: Writer): Text {
  const { semiring, modulus, ties, restart } = attributes;
  const args = [
    w.broadcast(2).text,
    w.ordered(3, names(w.output)),
    w.text(1).text,
    ...(restart === 0 ? [] : [`restart=${restart}`]),
    ...(modulus === null ? [] : [`modulus=${modulus}`]),
    ...(semiring === "max-plus" && ties === "input" ? ['ties="input"'] : []),
    ...w.s.cache.map((cache) => `cache=${cache}`),
  ];
  return w.helper(semiring === "max-plus" ? "maxplus_scan" : "linear_scan", args);
}

function take(axis: string, w: Writer): Text {
  const [table, ids] = [w.axes(0), w.axes(1)];
  const shared = ids.filter(
    ({ name }) => name !== axis && hasAxis({ dtype: "float", axes: table }, name),
  );
  const own = ids.filter((one) => !shared.includes(one));
  const rest = table.filter(
    ({ name }) => name !== axis && !shared.some((one) => one.name === name),
  );
  const found = [...shared, ...own, ...rest];
  if (shared.length === 0) {
    const rows = fit(w.text(0), table, [axis, ...names(rest)]);
    return w.conform(atom(`${within(rows, tightness.atom)}[${w.text(1).text}]`), found);
  }
  const text = w.helper("take", [
    w.ordered(0, [...names(shared), axis, ...names(rest)]),
    w.ordered(1, names([...shared, ...own])),
    ...(shared.length === 1 ? [] : [`shared=${shared.length}`]),
  ]);
  return w.conform(text, found);
}

/** Heads are the axes that queries and keys share; what queries alone have are groups that share keys. */
function attend({ attributes }: NodeOf<"attend">, w: Writer): Text {
  const { axis, key, window, causal, scale } = attributes;
  const [q, k, v] = [w.axes(0), w.axes(1), w.axes(2)];
  const outer = [w.sizeOf(3, "batch"), w.sizeOf(3, axis)];
  const inner = (axes: readonly Axis[]): readonly Axis[] => withoutAxes(axes, ["batch", axis, key]);
  const has = (axes: readonly Axis[], { name }: Axis): boolean => axes.some((a) => a.name === name);
  const heads = inner(q).filter((one) => has(k, one) || has(v, one));
  const groups = inner(q).filter((one) => !heads.includes(one));
  const values = withoutAxes(v, ["batch", axis]).filter((one) => !has(heads, one));
  const shaped = (i: number, axes: readonly Axis[], last: readonly Axis[]): string => {
    const all = [...outer, ...axes, ...last];
    let text = fit(w.text(i), w.axes(i), names(all), true);
    if (all.some((one) => !has(w.axes(i), one))) {
      const sizes = all.map((one) => (has(w.axes(i), one) ? "-1" : w.size(one)));
      text = atom(`${within(text, tightness.atom)}.expand(${sizes.join(", ")})`);
    }
    text = joined(text, 2 + axes.length, last.length);
    return joined(text, 2, axes.length).text;
  };
  const keyAxis = q.find(({ name }) => name === key)!;
  const args = [
    shaped(0, [...heads, ...groups], [keyAxis]),
    shaped(1, heads, [keyAxis]),
    shaped(2, heads, values),
    w.text(3).text,
    `scale=${scale}`,
    ...(causal ? [] : ["causal=False"]),
    ...(window === null ? [] : [`window=${window}`]),
    ...w.s.cache.map((cache) => `cache=${cache}`),
  ];
  let text = w.helper("attend", args);
  const apart = (at: number, axes: readonly Axis[]): Text => {
    const own = within(text, tightness.atom);
    if (axes.length === 1) return text;
    if (axes.length === 0) return atom(`${own}.squeeze(${at})`);
    return atom(`${own}.unflatten(${at}, (${axes.map(w.size).join(", ")}))`);
  };
  text = apart(-1, values);
  text = apart(2, [...heads, ...groups]);
  return w.conform(text, [...outer, ...heads, ...groups, ...values]);

  function joined(x: Text, at: number, count: number): Text {
    if (count === 1) return x;
    const own = within(x, tightness.atom);
    return atom(
      count === 0 ? `${own}.unsqueeze(${at})` : `${own}.flatten(${at}, ${at + count - 1})`,
    );
  }
}

type FusedRows = { readonly [Op in keyof FusedAttributes]: Row<Extract<FusedStep, { op: Op }>> };

const fusedRows: FusedRows = {
  linear: ({ attributes: { path, inner } }, w) => {
    const rest = withoutAxes(w.axes(0), names(inner));
    const x = w.ordered(0, [...names(rest), ...names(inner)]);
    const outer = w.output.filter(({ name }) => !rest.some((one) => one.name === name));
    return w.conform(atom(`${w.s.module(path)}(${x})`), [...rest, ...outer]);
  },
  experts: ({ attributes: { path, inner } }, w) => {
    const rest = withoutAxes(w.axes(0), names(inner));
    const x = w.ordered(0, [...names(rest), ...names(inner)]);
    const outer = w.output.filter(({ name }) => !rest.some((one) => one.name === name));
    return w.conform(atom(`${w.s.module(path)}(${x}, ${w.text(1).text})`), [...rest, ...outer]);
  },
  rms_norm: ({ attributes: { path, over }, inputs }, w) => {
    const rest = withoutAxes(w.axes(0), names(over));
    const given = inputs.map((_, i) => w.ordered(i, [...names(rest), ...names(over)]));
    return w.conform(atom(`${w.s.module(path)}(${given.join(", ")})`), [...rest, ...over]);
  },
  delta_rule: ({ attributes }, w) => recurrence(attributes, attributes.erasing, w),
  l2_norm: ({ attributes: { epsilon, silu, scale } }, w) =>
    w.helper("l2_norm", [
      w.text(0).text,
      ...(epsilon === 1e-6 ? [] : [String(epsilon)]),
      ...(silu ? ["silu=True"] : []),
      ...(scale === 1 ? [] : [`scale=${scale}`]),
    ]),
  silu: (_, w) => atom(`F.silu(${w.text(0).text})`),
  silu_mul: (_, w) => w.helper("silu_mul", [w.text(0).text, w.text(1).text]),
  dispatch: ({ attributes: { picks } }, w) =>
    w.helper("dispatch", [w.text(0).text, w.text(1).text, String(picks)]),
  routed_swiglu: ({ attributes: { picks, gate, up, down } }, w) => {
    const given = [0, 1, 2, 3].map((i) => w.text(i).text);
    const layers = [gate, up, down].map((path) => w.s.module(path));
    return w.helper("routed_swiglu", [...given, String(picks), ...layers]);
  },
  combine: ({ attributes: { picks, time } }, w) => {
    const [batch, , ...rest] = w.axes(0);
    const args = [w.text(0).text, w.text(1).text, w.text(2).text, String(picks)];
    return w.conform(w.helper("combine", args), [batch!, time, ...rest]);
  },
  softmax: ({ attributes: { over } }, w) =>
    w.conform(atom(`${w.atomOf(0)}.softmax(${dimensionOf(w.axes(0), over[0]!)})`), w.axes(0)),
  logsumexp: ({ attributes: { over } }, w) =>
    atom(`${w.atomOf(0)}.logsumexp(${dimensionOf(w.axes(0), over[0]!)})`),
  rotate: ({ attributes: { axis, pairs } }, w) => {
    const like = names(w.axes(0)).map((name) => (name === axis ? pairs : name));
    const angle = fit(w.text(1), w.axes(1), like).text;
    const at = dimensionOf(w.axes(0), axis);
    return w.helper("rotate", [w.text(0).text, angle, ...(at === -1 ? [] : [`dim=${at}`])]);
  },
  mean: ({ attributes: { over } }, w) =>
    atom(`${w.atomOf(0)}.mean(${dimensions(w.axes(0), over)})`),
  quotient: ({ attributes: { by } }, w) => ({
    text: `${within(w.text(0), tightness.product)} // ${by}`,
    tight: tightness.product,
  }),
  cross_entropy: ({ attributes: { axis } }, w) => {
    const rest = withoutAxes(w.axes(0), [axis]);
    return w.conform(w.helper("cross_entropy", [w.text(0).text, w.ordered(1, names(rest))]), rest);
  },
  linear_cross_entropy: ({ attributes: { path, inner }, inputs }, w) => {
    const rest = withoutAxes(w.axes(0), names(inner));
    const x = w.ordered(0, [...names(rest), ...names(inner)]);
    const given = inputs.slice(1).map((_, i) => w.ordered(i + 1, names(rest)));
    const args = [x, `${w.s.module(path)}.weight`, ...given];
    return w.conform(w.helper("linear_cross_entropy", args), rest);
  },
};

/** The expression of a step with one result. */
export function stepText(step: Step, output: readonly Axis[], surroundings: Surroundings): Text {
  const w = new Writer(surroundings, step.inputs, output);
  const table = "fused" in step ? fusedRows : rows;
  return (table as Record<string, Row<Step>>)[step.op]!(step, w);
}

export { dimension, dotted };
