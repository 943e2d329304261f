/**
 * The tiled matrix product as a shader: y[m, n] = Σ_k a[m, k] · b[k, n].
 *
 * A workgroup of 16 × 16 threads makes one tile of y; each thread has `per` × `per` of its elements, in
 * registers. Tiles of a and b go through shared memory, `depth` of k at a time. How elements are found is the
 * caller's: plain products, products with a group's weights, and sums over a group's slots are all this loop.
 */

import { type Binding, type Program, program } from "../wgsl/shader.js";

export interface Tile {
  readonly per: 2 | 4;
  readonly depth: 16 | 32;
}

export const largeTile: Tile = { per: 4, depth: 16 };
export const smallTile: Tile = { per: 2, depth: 32 };

export const side = ({ per }: Tile): number => 16 * per;

export interface TiledProduct {
  readonly bindings: readonly Binding[];
  readonly tile: Tile;
  readonly rows: number; // m
  readonly columns: number; // n
  readonly terms: number; // k
  /** Products with the same m, n, k: `batch` is the number of the workgroup's. */
  readonly batches: number;
  /** Parts that k is cut into, each a product of its own: `part` is the number of the workgroup's. */
  readonly parts: number;
  readonly declarations: string;
  /** Lines before anything else: what depends on `batch` and `part`. */
  readonly prologue: string;
  /** Elements as expressions in `m` and `k`, and `n` and `k`. */
  readonly a: string;
  readonly b: string;
  /** Whether neighbouring threads load neighbours along k, and not along m or n. */
  readonly alongK: { readonly a: boolean; readonly b: boolean };
  /** Lines around all of the sum, where it is repeated (for the groups of a tile). */
  readonly around?: { readonly before: string; readonly after: string };
  /** A condition of all threads on `k0`, by which the next terms may be left out, and the lines before it. */
  readonly skip?: { readonly lines: string; readonly condition: string };
  /** A line that stores `value` at m, n. */
  readonly store: string;
}

export function tiledProduct(parts: TiledProduct): Program {
  const { tile, rows, columns, terms, batches, around, skip } = parts;
  const { per, depth } = tile;
  const edge = side(tile);
  const length = Math.ceil(terms / parts.parts);
  const [across, down] = [Math.ceil(columns / edge), Math.ceil(rows / edge)];
  const stride = edge + 1; // so that loads along k do not meet in one bank
  const each = Array.from({ length: per }, (_, i) => i);
  const pairs = each.flatMap((i) => each.map((j) => [i, j] as const));
  const loads = Array.from({ length: (edge * depth) / 256 }, (_, i) => {
    const from = `(lane + ${i * 256}u)`;
    const place = (alongK: boolean): string =>
      alongK
        ? `let kk = ${from} % ${depth}u; let ee = ${from} / ${depth}u;`
        : `let kk = ${from} / ${edge}u; let ee = ${from} % ${edge}u;`;
    const one = (
      tileName: string,
      index: string,
      first: string,
      size: number,
      alongK: boolean,
      value: string,
    ): string => `{ ${place(alongK)} let ${index} = ${first} + ee; let k = k0 + kk;
var loaded = 0f;
if (${index} < ${size}u && k < kEnd) { loaded = ${value}; }
${tileName}[kk * ${stride}u + ee] = loaded; }`;
    return [
      one("aTile", "m", "m0", rows, parts.alongK.a, parts.a),
      one("bTile", "n", "n0", columns, parts.alongK.b, parts.b),
    ].join("\n");
  });
  const body = `let tileX = block % ${across}u;
let tileY = (block / ${across}u) % ${down}u;
let batch = (block / ${across * down}u) % ${batches}u;
let part = block / ${across * down * batches}u;
if (part >= ${parts.parts}u) { return; }
let m0 = tileY * ${edge}u;
let n0 = tileX * ${edge}u;
let row = lane / 16u;
let column = lane % 16u;
let kEnd = min((part + 1u) * ${length}u, ${terms}u);
${parts.prologue}
${pairs.map(([i, j]) => `var t${i}${j} = 0f;`).join(" ")}
${around?.before ?? ""}
for (var k0 = part * ${length}u; k0 < kEnd; k0 += ${depth}u) {
${skip ? `${skip.lines}\nif (${skip.condition}) { continue; }` : ""}
${loads.join("\n")}
workgroupBarrier();
for (var kk = 0u; kk < ${depth}u; kk++) {
${each.map((i) => `let a${i} = aTile[kk * ${stride}u + row + ${16 * i}u];`).join("\n")}
${each.map((j) => `let b${j} = bTile[kk * ${stride}u + column + ${16 * j}u];`).join("\n")}
${pairs.map(([i, j]) => `t${i}${j} += a${i} * b${j};`).join(" ")}
}
workgroupBarrier();
}
${around?.after ?? ""}
${pairs
  .map(
    ([
      i,
      j,
    ]) => `{ let m = m0 + row + ${16 * i}u; let n = n0 + column + ${16 * j}u; let value = t${i}${j};
if (m < ${rows}u && n < ${columns}u) { ${parts.store} } }`,
  )
  .join("\n")}`;
  return program({
    bindings: parts.bindings,
    threads: 256,
    blocks: across * down * batches * parts.parts,
    declarations: `var<workgroup> aTile: array<f32, ${depth * stride}>;
var<workgroup> bTile: array<f32, ${depth * stride}>;
${parts.declarations}`,
    body,
  });
}
