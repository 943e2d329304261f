/** Weights as nested objects: the types of emitted functions' `w`, and the members they read. */

import { key, member } from "./text.js";

/** The member of `w` that a path stands for; see `nest` in runtime/tfjs/nest.ts. */
export function weightMember(path: string, all: readonly string[]): string {
  const segments = path.split(".");
  const isInner = all.some((other) => other.startsWith(`${path}.`));
  return member("w", isInner ? [...segments, "self"] : segments);
}

/** A part of the weights that has a type of its own: a block's. */
export interface BlockType {
  readonly type: string;
  readonly paths: readonly string[]; // below the block
}

/** The type of weights with these paths; `blocks` by where they stand. */
export function weightsType(
  paths: readonly string[],
  blocks: ReadonlyMap<string, BlockType> = new Map(),
  prefix = "",
): string {
  const block = blocks.get(prefix);
  if (block && sameSet(block.paths, paths)) return block.type;
  const below = new Map<string, string[]>();
  for (const path of paths) {
    const [first, ...rest] = path.split(".") as [string, ...string[]];
    const list = below.get(first) ?? [];
    below.set(first, list);
    list.push(rest.join("."));
  }
  const entries = [...below].map(([name, rest]) => {
    const inner = rest.filter((path) => path !== "");
    const self = inner.length > 0 && inner.length < rest.length ? ["self"] : [];
    const place = prefix === "" ? name : `${prefix}.${name}`;
    const type = inner.length === 0 ? "Tensor" : weightsType([...inner, ...self], blocks, place);
    return [name, type] as const;
  });
  const isList = entries.every(([name], i) => name === String(i));
  if (isList) return `[${entries.map(([, type]) => type).join(", ")}]`;
  return `{ ${entries.map(([name, type]) => `${key(name)}: ${type}`).join("; ")} }`;
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  const set = new Set(a);
  return set.size === new Set(b).size && b.every((path) => set.has(path));
}
