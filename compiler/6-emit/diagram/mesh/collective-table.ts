/** What crosses the mesh in a step, by the axes it crosses. */

import type { MeshAxis } from "../../../1-check/blocks/tables/mesh.js";
import { groupSize, meshAxisNames, nodesOfGroup } from "../../../4-place/mesh-shape.js";
import { type Collective, type Pass, type Placement, passes } from "../../../4-place/placement.js";
import type { Figure } from "../drawing.js";
import { bytes } from "../figures.js";
import { type TableRow, tableCells } from "./cells.js";
import { axesName, numbersText, plural } from "./figures.js";

export interface CollectiveRow {
  readonly what: string;
  readonly block: string;
  readonly kind: Collective["kind"];
  readonly passes: readonly Pass[];
  readonly bytes: number;
  /** A step, on the devices of the stages that have it: the least and the most. */
  readonly times: readonly [number, number];
  readonly sent: number; // in a step, by a device that sends most
}

export interface AxesGroup {
  readonly axes: readonly MeshAxis[];
  readonly devices: number;
  readonly nodes: number;
  readonly sent: number;
  readonly rows: readonly CollectiveRow[];
}

/** By axes, outermost first; what is alike in several passes or stages is one row. */
export function collectivesByAxes({ stages, shape }: Placement): AxesGroup[] {
  const byAxes = new Map<string, Collective[][]>(); // of each stage
  for (const { index, collectives } of stages)
    for (const collective of collectives) {
      const key = collective.axes.join();
      const list = byAxes.get(key) ?? stages.map(() => []);
      list[index]!.push(collective);
      byAxes.set(key, list);
    }
  const order = (axes: readonly MeshAxis[]): number =>
    meshAxisNames.indexOf(axes[0]!) * 10 - axes.length;
  return [...byAxes.values()]
    .map((list): AxesGroup => {
      const { axes } = list.flat()[0]!;
      const rows = rowsOf(list);
      const sent = Math.max(
        ...list.map((own) => own.reduce((sum, each) => sum + each.sent * each.times, 0)),
      );
      return {
        axes,
        devices: groupSize(shape, axes),
        nodes: nodesOfGroup(shape, axes),
        sent,
        rows,
      };
    })
    .sort((a, b) => order(a.axes) - order(b.axes));
}

function rowsOf(stages: readonly (readonly Collective[])[]): CollectiveRow[] {
  const keyOf = ({ what, block, kind, bytes: size }: Collective): string =>
    JSON.stringify([what, block, kind, size]);
  const keys = [...new Set(stages.flat().map(keyOf))];
  return keys.map((key): CollectiveRow => {
    const own = stages
      .map((list) => list.filter((each) => keyOf(each) === key))
      .filter((list) => list.length > 0);
    const [first] = own[0]!;
    const times = own.map((list) => list.reduce((sum, each) => sum + each.times, 0));
    const sent = own.map((list) => list.reduce((sum, each) => sum + each.sent * each.times, 0));
    const where = stages.flatMap((list, i) =>
      list.some((each) => keyOf(each) === key) ? [i] : [],
    );
    const found = new Set(own.flat().map(({ pass }) => pass));
    return {
      what: first!.what,
      block: first!.block ?? (where.length === stages.length ? "" : `stage ${numbersText(where)}`),
      kind: first!.kind,
      passes: passes.filter((pass) => found.has(pass)),
      bytes: first!.bytes,
      times: [Math.min(...times), Math.max(...times)],
      sent: Math.max(...sent),
    };
  });
}

export const timesText = ({ times: [least, most] }: CollectiveRow): string =>
  least === most ? `${most} ×` : `${least}–${most} ×`;

export const groupText = ({ devices, nodes, sent }: AxesGroup): string =>
  `${plural(devices, "device")}${nodes === 1 ? " of one node" : ` on ${nodes} nodes`}, each sends ${bytes(sent)} a step`;

export function collectiveFigure(placement: Placement): Figure {
  const rows = collectivesByAxes(placement).flatMap((group): TableRow[] => [
    { kind: "heading", look: group.axes[0]!, text: axesName(group.axes), beside: groupText(group) },
    ...group.rows.map((row): TableRow => ({
      kind: "row",
      texts: [
        row.what,
        row.block,
        row.kind,
        row.passes.join(", "),
        bytes(row.bytes),
        timesText(row),
        bytes(row.sent),
      ],
    })),
  ]);
  if (rows.length === 0)
    rows.push({ kind: "row", texts: ["nothing crosses", "", "", "", "", "", ""] });
  return tableCells(
    "collective",
    [
      { title: "what", style: "text", widest: 220 },
      { title: "in", style: "code", widest: 120 },
      { title: "collective", style: "text" },
      { title: "pass", style: "faint" },
      { title: "tensor", style: "text", right: true },
      { title: "times a step", style: "text", right: true },
      { title: "sent a step", style: "text", right: true },
    ],
    rows,
  );
}
