/**
 * `take` and its adjoint `put`, through one flat list of rows.
 *
 * Letters that table and ids share become part of the row number, so that one plain gather or scatter
 * serves every case. Row numbers are int32: float32 has whole numbers only to 2²⁴.
 */

import type { Tensor, Tensor1D } from "@tensorflow/tfjs";
import type { Context } from "./context.js";
import { arrange, spread, view } from "./layout.js";
import { type Sizes, common, countOf, parseSpec, shapeOf, sizesOf, without } from "../letters.js";

/** ids (arranged as shared + over) plus `rows` times the number of their shared position. */
function flatRows(
  { tf }: Context,
  ids: Tensor,
  shared: string,
  over: string,
  rows: number,
  sizes: Sizes,
): Tensor1D {
  const blocks = countOf(shared, sizes);
  const flat = tf.cast(view(ids, [blocks, countOf(over, sizes)]), "int32");
  if (blocks === 1) return view(flat, [flat.size]) as Tensor1D;
  const starts = view(tf.range(0, blocks * rows, rows, "int32"), [blocks, 1]);
  return view(tf.add(flat, starts), [flat.size]) as Tensor1D;
}

/** The ids may have an axis of the same name as the one looked along, and another size: then it gets its own letter. */
function apart(axis: string, asked: string, others: string): string {
  if (!asked.includes(axis)) return axis;
  return [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].find((letter) => !(asked + others).includes(letter))!;
}

export function createTake(context: Context) {
  const { tf } = context;
  return (text: string, axis: string, table: Tensor, ids: Tensor): Tensor => {
    const { operands, result } = parseSpec(text);
    const [given, asked] = operands as [string, string];
    const own = apart(axis, asked, given);
    const held = given.replace(axis, own);
    const sizes = sizesOf([held, asked], [table, ids]);
    const shared = common(held, asked);
    const over = without(asked, shared);
    const rest = without(held, own + shared);
    const rows = flatRows(
      context,
      arrange(context, ids, asked, shared + over),
      shared,
      over,
      sizes[own]!,
      sizes,
    );
    const flat = view(arrange(context, table, held, shared + own + rest), [
      countOf(shared + own, sizes),
      countOf(rest, sizes),
    ]);
    const taken = view(tf.gather(flat, rows), shapeOf(shared + over + rest, sizes));
    return arrange(context, taken, shared + over + rest, result);
  };
}

export function createPut(context: Context) {
  const { tf } = context;
  return (text: string, axis: string, size: number, ids: Tensor, values: Tensor): Tensor => {
    const spec = parseSpec(text);
    const [asked, given] = spec.operands as [string, string];
    const own = apart(axis, asked, given);
    const result = spec.result.replace(axis, own);
    const sizes = sizesOf(spec.operands, [ids, values], { [own]: size });
    const shared = common(asked, result);
    const over = without(asked, shared);
    const rest = without(given, asked);
    const rows = flatRows(
      context,
      arrange(context, ids, asked, shared + over),
      shared,
      over,
      size,
      sizes,
    );
    const flat = view(spread(context, values, given, shared + over + rest, sizes), [
      rows.size,
      countOf(rest, sizes),
    ]);
    const shape = [countOf(shared + own, sizes), countOf(rest, sizes)];
    // scatterND adds up repeated indices on every backend; unsortedSegmentSum is missing on WebAssembly.
    const summed = tf.scatterND(view(rows, [rows.size, 1]), flat, shape);
    const natural = shared + own + rest;
    return arrange(context, view(summed, shapeOf(natural, sizes)), natural, result);
  };
}
