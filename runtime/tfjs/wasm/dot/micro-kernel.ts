/**
 * The register-blocked heart of every contraction: a tile of C, up to 4 × 8, held in registers while
 * k runs, as in Goto & van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008).
 *
 * Rows of C are found through a table of byte offsets, so any letter order of the row group costs
 * nothing; so are the rows of A when they are read in place (k contiguous).
 *
 * The k loop is not unrolled on purpose: V8 moves all loads of a block before its arithmetic, so two
 * steps of k at once need more than the 15 vector registers and spill (25% slower, measured). Four rows of
 * two vectors, with what a step loads, fill 14 of them; six rows are no faster, measured.
 */

import type { FunctionHandle, ModuleBuilder } from "../assembler/assembler.js";
import { f32x4, i32, multiplyAdd, v128, type V128 } from "../assembler/instructions.js";

/** How A is read: `packed` panels [k][tileRows], or `rows` in place, each with k contiguous. */
export type Reading = "packed" | "rows";

export const tileRows = 4;
export const tileColumns = 8;

/**
 * (a, aRows, b, bStride, k, c, cRows, accumulate): C[m][0…width) = or += Σ_k A[m][k]·B[k][0…width), where row m
 * of C is at c + cRows[m], row k of B at b + k·bStride, and row m of A at a + aRows[m] (reading `rows`).
 */
export function emitMicroKernel(
  module: ModuleBuilder,
  reading: Reading,
  rows: number,
  width: number,
): FunctionHandle {
  return module.function(null, (f) => {
    const a = f.parameter("i32");
    const aRows = f.parameter("i32");
    const b = f.parameter("i32");
    const bStride = f.parameter("i32");
    const k = f.parameter("i32");
    const c = f.parameter("i32");
    const cRows = f.parameter("i32");
    const accumulate = f.parameter("i32");

    const vectors = width / 4;
    const sums = Array.from({ length: rows * vectors }, () => f.local("v128"));
    const pointers =
      reading === "packed"
        ? [a]
        : Array.from({ length: rows }, (_, m) => f.keep(i32.add(a, i32.load(aRows, 4 * m))));

    const step = f.local("i32");
    f.while(step, k, 1, () => {
      const bs = Array.from({ length: vectors }, (_, n) => f.keep(v128.load(b, 16 * n)));
      const splats: V128[] = [];
      if (reading === "packed") {
        for (let m = 0; m < rows; m++) splats.push(f.keep(v128.load32Splat(a, 4 * m)));
      } else {
        for (const pointer of pointers) splats.push(f.keep(v128.load32Splat(pointer)));
      }
      splats.forEach((splat, m) =>
        bs.forEach((row, n) => {
          const sum = sums[m * vectors + n]!;
          f.set(sum, multiplyAdd(splat, row, sum));
        }),
      );
      f.bump(b, bStride);
      for (const pointer of pointers) f.bump(pointer, reading === "packed" ? 4 * tileRows : 4);
    });

    for (let m = 0; m < rows; m++) {
      const row = f.keep(i32.add(c, i32.load(cRows, 4 * m)));
      const tile = sums.slice(m * vectors, (m + 1) * vectors);
      f.if(accumulate, () =>
        tile.forEach((sum, n) => f.set(sum, f32x4.add(sum, v128.load(row, 16 * n)))),
      );
      tile.forEach((sum, n) => f.store(row, sum, 16 * n));
    }
  });
}
