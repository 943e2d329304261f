/** What a class holds: linear layers, norms, parameters of its own, the layers inside it. */

import type { Graph } from "../../ir/graph.js";
import type { Leaf, LeafModules } from "./leaves.js";
import type { Letters } from "./letters.js";
import { attributeName } from "./names.js";

export interface Member {
  readonly path: string; // from the class
  readonly text: string; // its constructor
}

/** The members of the module at `home`, without those that its inner layers (by path) hold themselves. */
export function membersOf(
  graph: Graph,
  leaves: LeafModules,
  home: string,
  inner: ReadonlyMap<string, string>,
  letters: Letters,
  helpers: Set<string>,
): Member[] {
  const members = new Map<string, string>();
  const relative = (path: string): string => (home === "" ? path : path.slice(home.length + 1));
  const ofInner = (path: string): string | undefined =>
    [...inner.keys()].find((own) => path.startsWith(`${own}.`));
  const sizes = (axes: Leaf["inner"]): string => axes.map((axis) => letters.size(axis)).join(", ");
  const group = (axes: Leaf["inner"]): string =>
    axes.length === 1 ? sizes(axes) : `(${sizes(axes)})`;
  for (const { path, value, trainable } of graph.parameters) {
    if (home !== "" && !path.startsWith(`${home}.`)) continue;
    const own = ofInner(path);
    if (own !== undefined) {
      members.set(relative(own), inner.get(own)!);
      continue;
    }
    const parent = path.split(".").slice(0, -1).join(".");
    const leaf = leaves.get(parent);
    if (leaf) {
      helpers.add(leaf.kind);
      const bias = leaf.bias ? ", bias=True" : "";
      const text = {
        Linear: () => `Linear(${group(leaf.inner)}, ${group(leaf.outer)}${bias})`,
        ExpertLinear: () =>
          `ExpertLinear(${letters.size(leaf.experts!)}, ${group(leaf.inner)}, ${group(leaf.outer)})`,
        RMSNorm: () => `RMSNorm(${group(leaf.outer)})`,
        ShortConv: () => `ShortConv(${sizes(leaf.inner)}, ${group(leaf.outer)}${bias})`,
      }[leaf.kind]();
      members.set(relative(parent), text);
      continue;
    }
    const { axes } = graph.values[value]!.type;
    const shape = axes.length === 0 ? "()" : sizes(axes);
    members.set(
      relative(path),
      trainable ? `nn.Parameter(torch.empty(${shape}))` : `nn.Buffer(torch.zeros(${shape}))`,
    );
  }
  for (const [path, text] of inner)
    if ((home === "" || path.startsWith(`${home}.`)) && !members.has(relative(path)))
      members.set(relative(path), text);
  return [...members].map(([path, text]) => ({ path, text }));
}

/** `self.… = …` for all members: what lies under one name is a list or a group. */
export function memberLines(members: readonly Member[], helpers: Set<string>): string[] {
  return grouped(members).map(
    ([name, below]) => `self.${attributeName(name)} = ${constructor(below, helpers)}`,
  );
}

function grouped(members: readonly Member[]): [string, Member[]][] {
  const groups = new Map<string, Member[]>();
  for (const { path, text } of members) {
    const [first, ...rest] = path.split(".") as [string, ...string[]];
    groups.set(first, [...(groups.get(first) ?? []), { path: rest.join("."), text }]);
  }
  return [...groups];
}

function constructor(members: readonly Member[], helpers: Set<string>): string {
  const [only] = members;
  if (members.length === 1 && only!.path === "") return only!.text;
  const parts = grouped(members);
  if (parts.every(([name], i) => name === String(i))) {
    const texts = parts.map(([, below]) => constructor(below, helpers));
    return `nn.ModuleList([${runs(texts).join(", ")}])`;
  }
  helpers.add("Parts");
  const texts = parts.map(
    ([name, below]) => `${attributeName(name)}=${constructor(below, helpers)}`,
  );
  return `Parts(${texts.join(", ")})`;
}

/** `*[L() for _ in range(12)]` for many alike in a row. */
function runs(texts: readonly string[]): string[] {
  const found: { text: string; count: number }[] = [];
  for (const text of texts) {
    const last = found[found.length - 1];
    if (last?.text === text) last.count += 1;
    else found.push({ text, count: 1 });
  }
  return found.flatMap(({ text, count }) =>
    count > 3 ? [`*(${text} for _ in range(${count}))`] : Array<string>(count).fill(text),
  );
}
