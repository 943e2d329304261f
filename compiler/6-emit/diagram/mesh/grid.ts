/**
 * The devices of a mesh as a grid: inner axes along its columns, outer ones along its rows, nodes drawn around their
 * devices. Of a large mesh one device stands for all along an axis, the replicas' first.
 */

import type { MeshAxis } from "../../../1-check/blocks/tables/mesh.js";
import {
  type Coordinates,
  type MeshShape,
  devicesOfNode,
  groupSize,
  meshAxisNames,
  rankOf,
} from "../../../4-place/mesh-shape.js";
import type { Cell, Figure } from "../drawing.js";
import { textWidth } from "../text-width.js";
import { cell, centred } from "./cells.js";

/** More are folded. */
const mostDevices = 64;
const mostColumns = 32;
const foldFirst: readonly MeshAxis[] = ["dp_replicate", "dp_shard", "cp", "ep", "tp", "pp"];

const side = 26;
const step = 31;
const rowStep = 50; // with room for the node's name
const span = 18;

export interface GridFold {
  readonly axes: readonly MeshAxis[]; // drawn
  readonly folded: readonly MeshAxis[];
}

export function foldGrid(shape: MeshShape): GridFold {
  const axes = meshAxisNames.filter((axis) => shape.sizes[axis] > 1);
  const folded: MeshAxis[] = [];
  for (const axis of foldFirst) {
    const left = axes.filter((one) => !folded.includes(one));
    if (groupSize(shape, left) <= mostDevices) break;
    if (left.length > 1 && left.includes(axis)) folded.push(axis);
  }
  return { axes: axes.filter((axis) => !folded.includes(axis)), folded };
}

export function gridFigure(shape: MeshShape): Figure {
  const { axes } = foldGrid(shape);
  const columns: MeshAxis[] = [];
  for (const axis of [...axes].reverse()) {
    if (columns.length > 0 && groupSize(shape, [axis, ...columns]) > mostColumns) break;
    columns.unshift(axis);
  }
  const rows = axes.filter((axis) => !columns.includes(axis));
  const across = groupSize(shape, columns);
  const wrapped = Math.min(across, mostColumns); // an axis longer than a line breaks at the nodes
  const lines = groupSize(shape, rows) * Math.ceil(across / wrapped);

  const rowWidths = rows.map((axis) => Math.max(22, textWidth(axis, "faint") + 10));
  const left = rowWidths.reduce((sum, width) => sum + width + 5, 0) + (rows.length > 0 ? 6 : 0);
  const heads = wrapped === across ? columns : [];
  const top = Math.max(heads.length, rows.length > 0 ? 1 : 0) * (span + 5);
  const cells: Cell[] = [];

  heads.forEach((axis, i) => {
    const inner = groupSize(shape, heads.slice(i + 1));
    const y = top - (heads.length - i) * (span + 5);
    for (let at = 0; at < across / inner; at += 1) {
      const place = { x: left + at * inner * step, y, width: inner * step - 4, height: span };
      const index = at % shape.sizes[axis];
      cells.push(
        cell(
          `${axis}.${at}`,
          axis,
          place,
          centred(String(index), "faint", place),
          `${axis} ${index}`,
        ),
      );
    }
    const name = {
      x: left + across * step + 2,
      y,
      width: textWidth(axis, "faint") + 12,
      height: span,
    };
    cells.push(cell(`name.${axis}`, axis, name, centred(axis, "faint", name)));
  });
  let x = 0;
  rows.forEach((axis, i) => {
    const inner = groupSize(shape, rows.slice(i + 1));
    const width = rowWidths[i]!;
    const name = { x, y: top - span - 5, width, height: span };
    cells.push(cell(`name.${axis}`, axis, name, centred(axis, "faint", name)));
    for (let at = 0; at < groupSize(shape, rows.slice(0, i + 1)); at += 1) {
      const place = { x, y: top + at * inner * rowStep, width, height: inner * rowStep - 5 };
      const index = at % shape.sizes[axis];
      cells.push(
        cell(
          `${axis}.row${at}`,
          axis,
          place,
          centred(String(index), "faint", place),
          `${axis} ${index}`,
        ),
      );
    }
    x += width + 5;
  });

  const drawn = groupSize(shape, axes);
  const nodes = new Map<string, { x: number; y: number; node: number; devices: Cell[] }>();
  for (let i = 0; i < drawn; i += 1) {
    const at = coordinatesAmong(shape, axes, i);
    const rank = rankOf(shape, at);
    const node = Math.floor(rank / devicesOfNode);
    const line = Math.floor(i / wrapped);
    const place = {
      x: left + (i % wrapped) * step,
      y: top + line * rowStep + 16,
      width: side,
      height: side,
    };
    const key = `${line} ${node}`;
    const own = nodes.get(key) ?? { x: place.x, y: place.y, node, devices: [] };
    const where = axes.map((axis) => `${axis} ${at[axis]}`).join(", ");
    own.devices.push(
      cell(
        `device.${rank}`,
        `device${at.pp % 4}`,
        place,
        centred(String(rank), "faint", place),
        `device ${rank}: ${where}`,
      ),
    );
    nodes.set(key, own);
  }
  for (const { x: from, y, node, devices } of nodes.values()) {
    const place = { x: from - 2, y: y - 16, width: devices.length * step - 1, height: side + 18 };
    const name = `node ${node}`;
    const texts =
      textWidth(name, "faint") <= place.width - 6
        ? [{ text: name, style: "faint" as const, x: from + 1, y: y - 4.5 }]
        : centred(String(node), "faint", { ...place, height: 15 });
    cells.push(cell(`node.${devices[0]!.id}`, "node", place, texts, name, devices));
  }
  const right = heads.map((axis) => textWidth(axis, "faint") + 18);
  return {
    width: left + wrapped * step + Math.max(0, ...right),
    height: top + lines * rowStep,
    cells,
  };
}

/** Of the i-th device drawn; folded axes stand at their first. */
function coordinatesAmong({ sizes }: MeshShape, axes: readonly MeshAxis[], i: number): Coordinates {
  const at: Record<MeshAxis, number> = { pp: 0, dp_replicate: 0, dp_shard: 0, cp: 0, tp: 0, ep: 0 };
  for (const axis of [...axes].reverse()) {
    at[axis] = i % sizes[axis];
    i = Math.floor(i / sizes[axis]);
  }
  return at;
}
