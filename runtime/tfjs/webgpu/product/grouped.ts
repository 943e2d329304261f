/**
 * groupedDot and groupedOuter as tiled products. Slots are mostly sorted by group, so a tile of slots has few
 * groups: groupedDot makes one product for each group of its tile, and groupedOuter leaves out tiles of slots
 * that have none of its group. Any order gives the same sums.
 */

import type { KernelSet } from "../../kernel-set.js";
import { common, countOf, parseSpec, shapeOf, sizesOf, without } from "../../letters.js";
import { type Axis, axesOver, collapse } from "../../wasm/strides.js";
import { type Kernels, elementOf } from "../kernel.js";
import type { Maps } from "../map/map.js";
import { offsetFunction } from "../wgsl/index.js";
import type { Element, Program } from "../wgsl/shader.js";
import { side, smallTile, tiledProduct } from "./tile.js";

type Grouped = Pick<KernelSet, "groupedDot" | "groupedOuter">;

export function createGrouped(kernels: Kernels, maps: Maps): Grouped {
  return {
    groupedDot(spec, group, x, w, ids) {
      const { operands, result } = parseSpec(spec);
      const [xs, ws, slots] = operands as [string, string, string];
      const sizes = sizesOf(operands, [x, w, ids]);
      const over = without(common(xs, ws), result);
      const columns = without(result, slots);
      const axesOf = (letters: string): Axis[] =>
        collapse(axesOver(letters, [xs, ws, slots, result], (letter) => sizes[letter]!));
      const key = `groupedDot ${spec} ${group} ${x.shape.join()} ${w.shape.join()} ${elementOf(ids)}`;
      const program = kernels.program(key, () =>
        dotProgram({
          slots: axesOf(slots),
          over: axesOf(over),
          columns: axesOf(columns),
          group: axesOf(group),
          counts: [slots, columns, over].map((letters) =>
            countOf(letters, sizes),
          ) as unknown as Counts,
          ids: elementOf(ids),
        }),
      );
      return kernels.make(program, [x, w, ids], shapeOf(result, sizes));
    },
    groupedOuter(spec, group, groups, x, y, ids) {
      const { operands, result } = parseSpec(spec);
      const [xs, ys, slots] = operands as [string, string, string];
      const sizes = sizesOf(operands, [x, y, ids], { [group]: groups });
      const [left, right] = [without(xs, slots), without(ys, slots)];
      const axesOf = (letters: string): Axis[] =>
        collapse(axesOver(letters, [xs, ys, slots, result], (letter) => sizes[letter]!));
      const counts = [left, right, slots].map((letters) =>
        countOf(letters, sizes),
      ) as unknown as Counts;
      const [rows, columns, terms] = counts;
      const blocks =
        groups * Math.ceil(rows / side(smallTile)) * Math.ceil(columns / side(smallTile));
      const parts = Math.max(1, Math.min(Math.floor(128 / blocks), Math.floor(terms / 256)));
      const key = `groupedOuter ${spec} ${groups} ${x.shape.join()} ${y.shape.join()} ${elementOf(ids)}`;
      const program = kernels.program(key, () =>
        outerProgram({
          slots: axesOf(slots),
          left: axesOf(left),
          right: axesOf(right),
          group: axesOf(group),
          groups,
          parts,
          counts,
          ids: elementOf(ids),
        }),
      );
      const shape = shapeOf(result, sizes);
      if (parts === 1) return kernels.make(program, [x, y, ids], shape);
      const partial = kernels.make(program, [x, y, ids], [parts, ...shape]);
      const letter = [..."PQRSTUVW"].find((one) => !result.includes(one))!;
      const whole = maps.reduce(`${letter}${result}->${result}`, "sum", partial);
      partial.dispose();
      return whole;
    },
  };
}

type Counts = readonly [rows: number, columns: number, terms: number];

interface GroupedDot {
  readonly slots: readonly Axis[];
  readonly over: readonly Axis[];
  readonly columns: readonly Axis[];
  readonly group: readonly Axis[];
  readonly counts: Counts;
  readonly ids: Element;
}

const [first, second, slotIds, result] = [0, 1, 2, 3]; // operands of the axes

const id = (element: Element, at: string): string =>
  element === "i32" ? `ids[${at}]` : `i32(ids[${at}])`;

function dotProgram({ slots, over, columns, group, counts, ids }: GroupedDot): Program {
  const [rows, width, terms] = counts;
  const edge = side(smallTile);
  return tiledProduct({
    bindings: [
      { name: "x", element: "f32", access: "read" },
      { name: "w", element: "f32", access: "read" },
      { name: "ids", element: ids, access: "read" },
      { name: "y", element: "f32", access: "write" },
    ],
    tile: smallTile,
    rows,
    columns: width,
    terms,
    batches: 1,
    parts: 1,
    declarations: `var<workgroup> rowGroup: array<i32, ${edge}>;
var<workgroup> nextGroup: i32;
${[
  offsetFunction("xRow", slots, first),
  offsetFunction("idRow", slots, slotIds),
  offsetFunction("yRow", slots, result),
  offsetFunction("xTerm", over, first),
  offsetFunction("wTerm", over, second),
  offsetFunction("wColumn", columns, second),
  offsetFunction("yColumn", columns, result),
  offsetFunction("wGroup", group, second),
].join("\n")}`,
    prologue: `if (lane < ${edge}u) {
rowGroup[lane] = -1i;
if (m0 + lane < ${rows}u) { rowGroup[lane] = ${id(ids, "idRow(m0 + lane)")}; }
}
workgroupBarrier();
var previous = -1i;`,
    around: {
      before: `loop {
if (lane == 0u) {
var least = 2147483647i;
for (var r = 0u; r < ${edge}u; r++) {
let one = rowGroup[r];
if (one > previous && one < least) { least = one; }
}
nextGroup = least;
}
let own = workgroupUniformLoad(&nextGroup);
if (own == 2147483647i) { break; }
let wBase = wGroup(u32(own));`,
      after: `previous = own;
}`,
    },
    a: "select(0f, x[xRow(m) + xTerm(k)], rowGroup[ee] == own)",
    b: "w[wBase + wColumn(n) + wTerm(k)]",
    alongK: { a: over.at(-1)?.strides[first] === 1, b: over.at(-1)?.strides[second] === 1 },
    store: "y[yRow(m) + yColumn(n)] = value;",
  });
}

interface GroupedOuter {
  readonly slots: readonly Axis[];
  readonly left: readonly Axis[];
  readonly right: readonly Axis[];
  readonly group: readonly Axis[];
  readonly groups: number;
  readonly parts: number;
  readonly counts: Counts;
  readonly ids: Element;
}

function outerProgram(outer: GroupedOuter): Program {
  const { slots, left, right, group, groups, parts, counts, ids } = outer;
  const [rows, columns, terms] = counts;
  const { depth } = smallTile;
  return tiledProduct({
    bindings: [
      { name: "x", element: "f32", access: "read" },
      { name: "z", element: "f32", access: "read" },
      { name: "ids", element: ids, access: "read" },
      { name: "y", element: "f32", access: "write" },
    ],
    tile: smallTile,
    rows,
    columns,
    terms,
    batches: groups,
    parts,
    declarations: `var<workgroup> matches: array<u32, ${depth}>;
var<workgroup> anyMatch: u32;
${[
  offsetFunction("xSlot", slots, first),
  offsetFunction("zSlot", slots, second),
  offsetFunction("idSlot", slots, slotIds),
  offsetFunction("xRow", left, first),
  offsetFunction("yRow", left, result),
  offsetFunction("zColumn", right, second),
  offsetFunction("yColumn", right, result),
  offsetFunction("yGroup", group, result),
].join("\n")}`,
    prologue: `let yBase = part * ${groups * rows * columns}u + yGroup(batch);`,
    skip: {
      lines: `if (lane < ${depth}u) {
matches[lane] = 0u;
if (k0 + lane < kEnd && ${id(ids, "idSlot(k0 + lane)")} == i32(batch)) { matches[lane] = 1u; }
}
workgroupBarrier();
if (lane == 0u) {
var any = 0u;
for (var r = 0u; r < ${depth}u; r++) { any |= matches[r]; }
anyMatch = any;
}
let some = workgroupUniformLoad(&anyMatch);`,
      condition: "some == 0u",
    },
    a: `select(0f, x[xRow(m) + xSlot(k)], matches[kk] == 1u)`,
    b: "z[zColumn(n) + zSlot(k)]",
    alongK: { a: slots.at(-1)?.strides[first] === 1, b: slots.at(-1)?.strides[second] === 1 },
    store: "y[yBase + yRow(m) + yColumn(n)] = value;",
  });
}
