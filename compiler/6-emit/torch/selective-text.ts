/** A `selective_scan` as a call of lsm_torch.nn.selective_scan: each operand as [B, T, H, K], [B, T, H, V] or [H, K, V]. */

import type { NodeOf } from "../../ir/graph.js";
import type { Axis } from "../../ir/types.js";
import { fit } from "./layout.js";
import type { Letters } from "./letters.js";
import type { Operand } from "./recurrence-text.js";
import { type Text, atom, tightness, within } from "./text.js";

export function selectiveText(
  { axis, key: keys, value: values, decay, read }: NodeOf<"selective_scan">["attributes"],
  [state, positions, q, k, v, ...decays]: readonly Operand[],
  output: readonly Axis[],
  letters: Letters,
  cache: readonly string[],
): Text {
  const outer = [
    state!.axes.find(({ name }) => name === "batch")!,
    positions!.axes.find(({ name }) => name === axis)!,
  ];
  const own = state!.axes.filter(({ name }) => name !== "batch");
  const key = own.filter(({ name }) => keys.includes(name));
  const value = own.filter(({ name }) => values.includes(name));
  const heads = own.filter((one) => !key.includes(one) && !value.includes(one));
  const has = (x: Operand, name: string): boolean => x.axes.some((one) => one.name === name);

  /** Each group of axes as one dimension, which is of size 1 where it may be repeated later, unless all of it is asked `whole`. */
  const shaped = (x: Operand, groups: readonly (readonly Axis[])[], whole: boolean): Text => {
    const all = groups.flat();
    let text = fit(
      x.text,
      x.axes,
      all.map(({ name }) => name),
      true,
    );
    const repeats = groups.flatMap((group) =>
      group.map(
        ({ name }) => !has(x, name) && (whole || group.length > 1 || outer.includes(group[0]!)),
      ),
    );
    if (repeats.some(Boolean)) {
      const sizes = all.map((one, i) => (repeats[i] ? letters.size(one) : "-1"));
      text = atom(`${within(text, tightness.atom)}.expand(${sizes.join(", ")})`);
    }
    let at = all.length;
    for (const { length } of [...groups].reverse()) {
      at -= length;
      if (length === 1) continue;
      const base = within(text, tightness.atom);
      text = atom(
        length === 0 ? `${base}.unsqueeze(${at})` : `${base}.flatten(${at}, ${at + length - 1})`,
      );
    }
    return text;
  };
  const batchAndTime = outer.map((one) => [one]);
  const ofToken = (x: Operand, group: readonly Axis[], whole = false): string =>
    shaped(x, [...batchAndTime, heads, group], whole).text;
  const ofKeys = (x: Operand): string =>
    outer.some(({ name }) => has(x, name))
      ? ofToken(x, key)
      : shaped(x, [heads, key, value], false).text;

  const named = decay.map((name, i) => {
    const x = decays[i]!;
    const text = name === "rate" || name === "log_key" ? ofKeys(x) : ofToken(x, value);
    return `${name}=${text}`;
  });
  const args = [
    ofKeys(q!),
    ofKeys(k!),
    ofToken(v!, value, true),
    ...named,
    ...(read === "before" ? ['read="before"'] : []),
    `positions=${positions!.text.text}`,
    ...cache.map((one) => `cache=${one}`),
  ];
  let found = atom(`selective_scan(${args.join(", ")})`);
  const apart = (at: number, group: readonly Axis[]): void => {
    if (group.length === 1) return;
    const sizes = group.map((one) => letters.size(one)).join(", ");
    found = atom(
      group.length === 0
        ? `${found.text}.squeeze(${at})`
        : `${found.text}.unflatten(${at}, (${sizes}))`,
    );
  };
  apart(-1, value);
  apart(2, heads);
  return fit(
    found,
    [...outer, ...heads, ...value],
    output.map(({ name }) => name),
  );
}
