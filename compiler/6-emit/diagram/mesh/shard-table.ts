/** Which part of every parameter one device has: one block of each kind, since others of it are shared out alike. */

import type { PlacedParameter, Placement } from "../../../4-place/placement.js";
import type { Figure } from "../drawing.js";
import { bytes, count } from "../figures.js";
import { type TableRow, tableCells } from "./cells.js";
import { plural } from "./figures.js";

export interface ShardGroup {
  readonly title: string;
  readonly parameters: readonly PlacedParameter[];
  readonly block: string; // the path that their names are within
}

/** Outside of the blocks, then each kind of block by its first. */
export function shardGroups({ parameters, stages }: Placement): ShardGroup[] {
  const kinds = new Map<string, string[]>();
  for (const { path, block } of stages.flatMap(({ blocks }) => blocks))
    kinds.set(block, [...(kinds.get(block) ?? []), path]);
  const of = (path: string) => parameters.filter(({ block }) => block === path);
  const outside = { title: "outside of the blocks", parameters: of(""), block: "" };
  const blocks = [...kinds].map(([name, paths]): ShardGroup => {
    const own = of(paths[0]!);
    return {
      title: paths.length === 1 ? name : `${name}, ${plural(paths.length, "block")}`,
      parameters: own,
      block: paths[0]!,
    };
  });
  return [outside, ...blocks].filter((group) => group.parameters.length > 0);
}

/** `experts 64 / 4·16 × width 2048`: an axis with the shares it is cut into. */
export const axesOf = ({ axes }: PlacedParameter): string =>
  axes
    .map(
      ({ name, size, shares }) =>
        `${name.replace(/'+$/, "")} ${size}${shares > 1 ? ` / ${shares}` : ""}`,
    )
    .join(" × ");

export const overOf = ({ axes }: PlacedParameter): string =>
  axes
    .filter(({ over }) => over.length > 0)
    .map(({ name, over }) => `${name.replace(/'+$/, "")} over ${over.join(", ")}`)
    .join("; ") || "whole on every device";

export const nameIn = ({ path }: PlacedParameter, block: string): string =>
  block === "" ? path : path.slice(block.length + 1);

export function shardFigure(placement: Placement): Figure {
  const rows = shardGroups(placement).flatMap(({ title, parameters, block }): TableRow[] => {
    const held = parameters.reduce((sum, each) => sum + each.held, 0);
    const all = parameters.reduce((sum, each) => sum + each.elements, 0);
    return [
      {
        kind: "heading",
        look: "block",
        text: title,
        beside: `${count(all)} parameters, ${bytes(4 * held)} of them on a device`,
      },
      ...parameters.map((each): TableRow => ({
        kind: "row",
        texts: [nameIn(each, block), axesOf(each), overOf(each), bytes(4 * each.held)],
      })),
    ];
  });
  return tableCells(
    "shard",
    [
      { title: "parameter", style: "code", widest: 240 },
      { title: "axes", style: "text", widest: 330 },
      { title: "cut", style: "faint", widest: 330 },
      { title: "on a device", style: "text", right: true },
    ],
    rows,
  );
}
