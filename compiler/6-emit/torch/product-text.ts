/** Contractions and gathered rows. */

import { type Axis, hasAxis } from "../../ir/types.js";
import { dimensions, fit } from "./layout.js";
import { type Text, atom, tightness, within } from "./text.js";
import { type Writer, names } from "./writer.js";

export function dot(over: readonly string[], w: Writer): Text {
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

export function take(axis: string, w: Writer): Text {
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
