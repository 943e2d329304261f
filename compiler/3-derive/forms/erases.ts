/**
 * What a chunk's erases read: U_i(t) = b_i(t)ᵀ S_{t−1}, for every erase i.
 *
 * Each depends on the writes and on all erases of earlier tokens, which is one unit-triangular system over
 * (token, erase):  (I − tril(B̃ Ãᵀ, −1)) U = B̃ S₀ + tril(B̃ K̃ᵀ, −1) V.
 * Its solution is split in what the chunk itself gives and what its first state adds: U = own + W S₀.
 */

import type { GraphBuilder } from "../../ir/builder.js";
import type { ValueId } from "../../ir/graph.js";
import { type Axis, findAxis, unionAxes, withoutAxes } from "../../ir/types.js";
import type { Decay } from "./decay.js";
import type { Erase } from "./normal-form.js";

export interface Corrections {
  readonly own: readonly (ValueId | null)[]; // [.., step, value axes], one for each erase
  readonly fromState: readonly ValueId[]; // W [.., step, key]
}

/** `fromWrites` gives tril(x K̃ᵀ, −1) V for the erase keys. */
export function solveErases(
  b: GraphBuilder,
  decay: Decay,
  erases: readonly Erase[],
  fromWrites: (query: ValueId, strict: boolean) => ValueId | null,
): Corrections {
  const rows = erases.map((row) =>
    interleave(
      b,
      erases.map((column) => decay.pairs(row.b, column.a, true)),
      "source",
      "column",
    ),
  );
  const matrix = interleave(b, rows, "step", "row");
  const solve = (rights: readonly ValueId[]): ValueId[] => {
    const right = interleave(b, rights, "step", "row");
    const shared = withoutAxes(b.type(matrix).axes, ["row", "column"]);
    const whole = b.conform(right, unionAxes([shared, b.type(right).axes]));
    const solved = b.op("solve", { row: "row", column: "column", transposed: false }, [
      matrix,
      whole,
    ]);
    return part(b, solved, erases.length);
  };
  const rights = erases.map((erase) => fromWrites(erase.b, true));
  const own = rights.every((right) => right !== null) ? solve(rights) : rights.map(() => null);
  return { own, fromState: solve(erases.map((erase) => decay.fromStart(erase.b, true))) };
}

/** [.., axis, ..] of each erase → [.., into, ..], the erases of one token next to each other. */
function interleave(
  b: GraphBuilder,
  parts: readonly ValueId[],
  axis: string,
  into: string,
): ValueId {
  const [only] = parts;
  if (parts.length === 1) return b.rename(only!, { [axis]: into });
  const axes = unionAxes(parts.map((x) => b.type(x).axes));
  const each = parts.map((x) => b.conform(x, [...axes, { name: "erase", size: 1 }]));
  const stacked = b.op("concat", { axis: "erase" }, each);
  return b.op("merge", { outer: axis, inner: "erase", into }, [stacked]);
}

/** The inverse over rows: one [.., step, ..] for each erase. */
function part(b: GraphBuilder, x: ValueId, count: number): ValueId[] {
  if (count === 1) return [b.rename(x, { row: "step" })];
  const row = findAxis(b.type(x), "row")!;
  const step: Axis = { name: "step", size: row.size / count };
  const split = b.op("split", { axis: "row", outer: step, inner: { name: "erase", size: count } }, [
    x,
  ]);
  return Array.from({ length: count }, (_, i) => b.sum(b.slice(split, "erase", i, 1), ["erase"]));
}
