/**
 * `dot`: any two-operand contraction. As a tiled matrix product where both sides have rows enough; as a map of
 * products with a sum where they have not (vectors, and single tokens when generating).
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { MapKernel } from "../../kernel-set.js";
import { common, countOf, parseSpec, shapeOf, sizesOf, without } from "../../letters.js";
import { type Axis, axesOver, collapse } from "../../wasm/strides.js";
import type { Kernels } from "../kernel.js";
import type { Maps } from "../map/map.js";
import { offsetFunction } from "../wgsl/index.js";
import type { Program } from "../wgsl/shader.js";
import { type Tile, largeTile, side, smallTile, tiledProduct } from "./tile.js";

interface Contraction {
  readonly batch: readonly Axis[];
  readonly left: readonly Axis[];
  readonly right: readonly Axis[];
  readonly over: readonly Axis[];
  readonly batches: number;
  readonly rows: number;
  readonly columns: number;
  readonly terms: number;
}

interface Shape {
  readonly tile: Tile;
  readonly parts: number;
}

const enoughBlocks = 128; // to keep a large GPU busy

export class Dot {
  readonly #kernels: Kernels;
  readonly #maps: Maps;
  readonly #products = new Map<string, MapKernel>();

  constructor(kernels: Kernels, maps: Maps) {
    this.#kernels = kernels;
    this.#maps = maps;
  }

  run(spec: string, a: Tensor, b: Tensor): Tensor {
    const { operands, result } = parseSpec(spec);
    const [first, second] = operands as [string, string];
    const sizes = sizesOf(operands, [a, b]);
    const shared = common(first, second);
    const over = without(shared, result);
    const batch = common(result, shared);
    const left = common(without(result, batch), first);
    const right = common(without(result, batch), second);
    const [rows, columns, terms] = [left, right, over].map((letters) =>
      countOf(letters, sizes),
    ) as [number, number, number];
    const floats = a.dtype === "float32" && b.dtype === "float32";
    if (rows < 8 || columns < 8 || terms < 8 || !floats)
      return this.#maps.map(this.#productOf(spec, first, second, result, over), [a, b], {});
    const shape = shapeOf(result, sizes);
    const key = `dot ${spec} ${shapeOf(batch + left + right + over, sizes).join()}`;
    const axesOf = (letters: string): Axis[] =>
      collapse(axesOver(letters, [first, second, result], (letter) => sizes[letter]!));
    const contraction = {
      batch: axesOf(batch),
      left: axesOf(left),
      right: axesOf(right),
      over: axesOf(over),
      batches: countOf(batch, sizes),
      rows,
      columns,
      terms,
    };
    const cut = shapeFor(contraction);
    const program = this.#kernels.program(key, () => dotProgram(contraction, cut));
    if (cut.parts === 1) return this.#kernels.make(program, [a, b], shape);
    const parts = this.#kernels.make(program, [a, b], [cut.parts, ...shape]);
    const whole = this.#maps.reduce(`${partLetter(result)}${result}->${result}`, "sum", parts);
    parts.dispose();
    return whole;
  }

  #productOf(spec: string, a: string, b: string, output: string, over: string): MapKernel {
    const known = this.#products.get(spec);
    if (known) return known;
    const inputs = [0, 1].map((index) => ({ kind: "input", index }) as const);
    const made: MapKernel = {
      inputs: [a, b],
      output,
      reduce: over === "" ? null : "sum",
      code: [{ fn: "mul", arguments: inputs }],
    };
    this.#products.set(spec, made);
    return made;
  }
}

/** A letter for the axis of parts that the result has not. */
function partLetter(result: string): string {
  return [..."PQRSTUVWXYZABCDEFGHIJKLMNO"].find((letter) => !result.includes(letter))!;
}

/** Large tiles where there are enough of them; and where even small ones are few, the sum in parts. */
function shapeFor({ rows, columns, terms, batches }: Contraction): Shape {
  const blocks = (tile: Tile): number =>
    batches * Math.ceil(rows / side(tile)) * Math.ceil(columns / side(tile));
  if (rows >= 64 && columns >= 64 && blocks(largeTile) >= enoughBlocks)
    return { tile: largeTile, parts: 1 };
  const few = blocks(smallTile);
  const parts = few >= enoughBlocks / 2 ? 1 : Math.floor(enoughBlocks / few);
  return { tile: smallTile, parts: Math.max(1, Math.min(parts, Math.floor(terms / 64))) };
}

function dotProgram(
  { batch, left, right, over, batches, rows, columns, terms }: Contraction,
  { tile, parts }: Shape,
): Program {
  const [a, b, y] = [0, 1, 2];
  const elements = batches * rows * columns;
  return tiledProduct({
    bindings: [
      { name: "a", element: "f32", access: "read" },
      { name: "b", element: "f32", access: "read" },
      { name: "y", element: "f32", access: "write" },
    ],
    tile,
    rows,
    columns,
    terms,
    batches,
    parts,
    declarations: [
      offsetFunction("aBatch", batch, a),
      offsetFunction("bBatch", batch, b),
      offsetFunction("yBatch", batch, y),
      offsetFunction("aRow", left, a),
      offsetFunction("yRow", left, y),
      offsetFunction("bColumn", right, b),
      offsetFunction("yColumn", right, y),
      offsetFunction("aTerm", over, a),
      offsetFunction("bTerm", over, b),
    ].join("\n"),
    prologue: `let aBase = aBatch(batch);
let bBase = bBatch(batch);
let yBase = part * ${elements}u + yBatch(batch);`,
    a: "a[aBase + aRow(m) + aTerm(k)]",
    b: "b[bBase + bColumn(n) + bTerm(k)]",
    alongK: { a: over.at(-1)?.strides[a] === 1, b: over.at(-1)?.strides[b] === 1 },
    store: "y[yBase + yRow(m) + yColumn(n)] = value;",
  });
}
