/** Attention as a call of `attend`. */

import type { NodeOf } from "../../ir/graph.js";
import { type Axis, withoutAxes } from "../../ir/types.js";
import { fit } from "./layout.js";
import { type Text, atom, tightness, within } from "./text.js";
import { type Writer, names } from "./writer.js";

/** Heads are the axes that queries and keys share; what queries alone have are groups that share keys. */
export function attend({ attributes }: NodeOf<"attend">, w: Writer): Text {
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
