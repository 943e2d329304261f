/**
 * `take` and `put`. The ids are read here, on the host's side of the heap: they become tables of byte offsets,
 * one entry for each row that is contiguous on both sides, and the rows move in WebAssembly.
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { KernelSet } from "../kernel-set.js";
import { parseSpec, union, without } from "../letters.js";
import type { Heap } from "./heap.js";
import type { RowMover } from "./rows.js";
import { ShapeCache, type SizeOf } from "./shape-cache.js";
import { axesOver, collapse, offsetsOf } from "./strides.js";

interface LookupPlan {
  readonly outputShape: readonly number[];
  /** Element offset in the ids of every row, and byte offsets in both tensors without what the id adds. */
  readonly idOf: Int32Array;
  readonly indexed: Int32Array;
  readonly plain: Int32Array;
  /** Bytes that one id more adds in the indexed tensor (take: the table, put: the result). */
  readonly idBytes: number;
  readonly idLimit: number;
  /** Words of a row. */
  readonly words: number;
}

const Ids = 0;
const Indexed = 1;
const Plain = 2;

/** Stands for the axis that ids point along, since the ids may have a letter of that name for themselves. */
const looked = "*";

/** `indexed` has the axis, under the name above and of size `limit`; `plain` has the ids' letters in its place. */
function planLookup(
  ids: string,
  indexed: string,
  plain: string,
  limit: number,
  known: SizeOf,
): Omit<LookupPlan, "outputShape"> {
  const sizeOf: SizeOf = (letter) => (letter === looked ? limit : known(letter));
  const operands = [ids, indexed, plain];
  const rest = collapse(axesOver(without(union(indexed, plain), ids + looked), operands, sizeOf));
  const inner = rest.at(-1);
  const isRow = inner !== undefined && inner.strides[Indexed] === 1 && inner.strides[Plain] === 1;
  const loop = [...axesOver(ids, operands, sizeOf), ...(isRow ? rest.slice(0, -1) : rest)];
  const bytes = (operand: number): Int32Array =>
    Int32Array.from(offsetsOf(loop, operand), (offset) => 4 * offset);
  return {
    idOf: Int32Array.from(offsetsOf(loop, Ids)),
    indexed: bytes(Indexed),
    plain: bytes(Plain),
    idBytes: 4 * axesOver(looked, [indexed], sizeOf)[0]!.strides[0]!,
    idLimit: limit,
    words: isRow ? inner.size : 1,
  };
}

export function createLookup(heap: Heap, rows: RowMover): Pick<KernelSet, "take" | "put"> {
  const takePlans = new ShapeCache<LookupPlan>();
  const putPlans = new ShapeCache<LookupPlan>();

  /** Fills scratch with the table of the indexed side, then that of the plain one. */
  const fillTables = (plan: LookupPlan, ids: Tensor): number => {
    const count = plan.idOf.length;
    const scratch = heap.scratch(8 * count);
    const words = heap.i32;
    const start = heap.address(ids) / 4;
    const table = scratch / 4;
    for (let row = 0; row < count; row++) {
      const id = words[start + plan.idOf[row]!]!;
      if (id < 0 || id >= plan.idLimit)
        throw new RangeError(`id ${id} is not one of 0 … ${plan.idLimit - 1}`);
      words[table + row] = plan.indexed[row]! + id * plan.idBytes;
    }
    words.set(plan.plain, table + count);
    return scratch;
  };

  return {
    take(spec, axis, table, ids) {
      const plan = takePlans.get(spec, [table.shape, ids.shape], (sizeOf) => {
        const { operands, result } = parseSpec(spec);
        const [held, asked] = operands as [string, string];
        const limit = table.shape[held.indexOf(axis)]!;
        const lookup = planLookup(asked, held.replace(axis, looked), result, limit, sizeOf);
        return { outputShape: [...result].map(sizeOf), ...lookup };
      });
      const tables = fillTables(plan, ids);
      const output = heap.output(plan.outputShape, table.dtype);
      const count = plan.idOf.length;
      rows.gather(
        heap.address(output),
        tables + 4 * count,
        heap.address(table),
        tables,
        count,
        plan.words,
      );
      return output;
    },
    put(spec, axis, size, ids, values) {
      const plan = putPlans.get(spec, [ids.shape, values.shape, [size]], (sizeOf) => {
        const { operands, result } = parseSpec(spec);
        const [asked, given] = operands as [string, string];
        const lookup = planLookup(asked, result.replace(axis, looked), given, size, sizeOf);
        const outputShape = [...result].map((letter) => (letter === axis ? size : sizeOf(letter)));
        return { outputShape, ...lookup };
      });
      const tables = fillTables(plan, ids);
      const output = heap.output(plan.outputShape);
      const count = plan.idOf.length;
      const to = heap.address(output);
      rows.zero(to, 1, output.size, 0);
      rows.scatterAdd(to, tables, heap.address(values), tables + 4 * count, count, plan.words);
      return output;
    },
  };
}
