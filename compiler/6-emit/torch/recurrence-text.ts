/** A `recurrence` as a call of lsm_torch.nn.recurrence, or of delta_rule: which axes are heads, keys and values. */

import type { NodeOf } from "../../ir/graph.js";
import type { Axis } from "../../ir/types.js";
import { fit } from "./layout.js";
import type { Letters } from "./letters.js";
import { type Text, atom, tightness, within } from "./text.js";

interface Roles {
  readonly heads: readonly Axis[];
  readonly key: readonly Axis[];
  readonly value: readonly Axis[];
  readonly gateOnValue: boolean;
}

export interface Operand {
  readonly text: Text;
  readonly axes: readonly Axis[];
}

/**
 * The state's axes that are contracted are the key; those that only values have are the value; all others
 * are heads, and so are axes that the query alone has.
 */
function rolesOf(
  { key, axis, gated, writes }: NodeOf<"recurrence">["attributes"],
  inputs: readonly Operand[],
): Roles {
  const [state, , query, ...rest] = inputs as [Operand, Operand, Operand, ...Operand[]];
  const outer = new Set(["batch", axis]);
  const own = state.axes.filter(({ name }) => !outer.has(name));
  const gate = gated ? rest.shift()! : null;
  const has = (x: Operand | null, name: string): boolean =>
    x !== null && x.axes.some((other) => other.name === name);
  const shared = rest.filter((_, i) => i >= 2 * writes || i % 2 === 0); // keys, erases
  const isHead = (name: string): boolean => [query, ...shared].some((x) => has(x, name));
  const rest0 = own.filter(({ name }) => !key.includes(name));
  const values = rest0.filter(({ name }) => !isHead(name));
  const gatedKey = key.some((name) => has(gate, name));
  const gateOnValue = !gatedKey && values.length > 0 && values.every(({ name }) => has(gate, name));
  const value = gateOnValue ? values : values.filter(({ name }) => !has(gate, name));
  const extra = query.axes.filter(
    ({ name }) => !outer.has(name) && !own.some((axis) => axis.name === name),
  );
  return {
    key: own.filter(({ name }) => key.includes(name)),
    value,
    heads: [...rest0.filter((axis) => !value.includes(axis)), ...extra],
    gateOnValue,
  };
}

/** What makes a recurrence a delta rule: β, and the key that erases if it is not the one that writes. */
export interface Delta {
  readonly beta: Operand;
  readonly eraseKey: Operand | null;
}

export function recurrenceText(
  attributes: NodeOf<"recurrence">["attributes"],
  delta: Delta | null,
  inputs: readonly Operand[],
  output: readonly Axis[],
  letters: Letters,
  initial: Text | null,
  cache: readonly string[],
): Text {
  const { axis, gated, writes, erases, read } = attributes;
  const { heads, key, value, gateOnValue } = rolesOf(attributes, inputs);
  const [, positions, query, ...rest] = inputs as [Operand, Operand, Operand, ...Operand[]];
  const batch = inputs[0]!.axes.find(({ name }) => name === "batch")!;
  const time = positions.axes.find(({ name }) => name === axis)!;
  /** [B, T, H, …]: each group of axes as one dimension, of size 1 where it may be repeated later. */
  const shaped = (x: Operand, group: readonly Axis[] | null, whole: boolean): Text => {
    const all = [batch, time, ...heads, ...(group ?? [])];
    const has = ({ name }: Axis): boolean => x.axes.some((other) => other.name === name);
    const names = all.map(({ name }) => name);
    if (/^-?[\d.e+-]+$/.test(x.text.text)) {
      const headSizes = heads.length === 1 || whole ? heads.map((own) => letters.size(own)) : ["1"];
      const product = (axes: readonly string[]): string =>
        axes.length === 0 ? "1" : axes.join(" * ");
      const last = group === null ? [] : [product(group.map((own) => letters.size(own)))];
      const shape = [letters.size(batch), letters.size(time), product(headSizes), ...last];
      const device = `${within(positions.text, tightness.atom)}.device`;
      return atom(
        `torch.full((${shape.join(", ")}), ${Number(x.text.text).toFixed(1)}, device=${device})`,
      );
    }
    let text = fit(x.text, x.axes, names, true);
    const someHead = heads.some(has);
    const mustRepeat = (own: Axis, i: number): boolean => {
      if (has(own)) return false;
      if (i < 2) return true;
      if (i < 2 + heads.length) return whole || (heads.length > 1 && someHead);
      return true;
    };
    const repeats = all.map(mustRepeat);
    if (repeats.some(Boolean)) {
      const sizes = all.map((own, i) => (repeats[i] ? letters.size(own) : "-1"));
      text = atom(`${within(text, tightness.atom)}.expand(${sizes.join(", ")})`);
    }
    const single = group === null || group.length === 1;
    const grouped = single ? text : flattened(text, 2 + heads.length, group.length);
    return heads.length === 1 ? grouped : flattened(grouped, 2, heads.length);
  };
  const gate = gated ? rest.shift()! : null;
  const stacked = (texts: readonly Text[]): string =>
    texts.length === 1
      ? texts[0]!.text
      : `torch.stack((${texts.map((t) => t.text).join(", ")}), 2)`;
  const pairs = (from: number, count: number, second: number): readonly Operand[] =>
    Array.from({ length: count }, (_, i) => rest[from + 2 * i + second]!);
  const args = [
    shaped(query, key, false).text,
    stacked(pairs(0, writes, 0).map((k) => shaped(k, key, false))),
    stacked(pairs(0, writes, 1).map((v) => shaped(v, value, true))),
  ];
  if (delta) args.push(shaped(delta.beta, null, true).text);
  if (gate) {
    const onKey = key.some(({ name }) => gate.axes.some((own) => own.name === name));
    args.push(shaped(gate, gateOnValue ? value : onKey ? key : null, true).text);
  }
  if (gateOnValue) args.push('decay_on="value"');
  if (erases > 0) {
    const a = stacked(pairs(2 * writes, erases, 0).map((x) => shaped(x, key, true)));
    const b = stacked(pairs(2 * writes, erases, 1).map((x) => shaped(x, key, true)));
    args.push(`erase=(${a}, ${b})`);
  }
  if (delta?.eraseKey) args.push(`erase_key=${shaped(delta.eraseKey, key, true).text}`);
  if (read === "before") args.push('read="before"');
  if (initial) args.push(`initial_state=${initial.text}`);
  args.push(`positions=${positions.text.text}`, ...cache.map((own) => `cache=${own}`));
  return restored(atom(`${delta ? "delta_rule" : "recurrence"}(${args.join(", ")})`));

  /** [B, T, H, V] back to the axes of the result. */
  function restored(text: Text): Text {
    let found = text;
    if (value.length !== 1) found = unflattened(found, -1, value);
    if (heads.length !== 1) found = unflattened(found, 2, heads);
    return fit(
      found,
      [batch, time, ...heads, ...value],
      output.map(({ name }) => name),
    );
  }

  function unflattened(text: Text, at: number, axes: readonly Axis[]): Text {
    const own = within(text, tightness.atom);
    if (axes.length === 0) return atom(`${own}.squeeze(${at})`);
    return atom(`${own}.unflatten(${at}, (${axes.map((a) => letters.size(a)).join(", ")}))`);
  }
}

/** `count` dimensions from `at` on as one; a new one of size 1 where there is none. */
function flattened(text: Text, at: number, count: number): Text {
  const own = within(text, tightness.atom);
  if (count === 0) return atom(`${own}.unsqueeze(${at})`);
  return atom(`${own}.flatten(${at}, ${at + count - 1})`);
}
