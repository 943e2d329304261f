/**
 * The block product: loops the micro-kernel over a block of C. B's panel (k × 8) stays in the first
 * cache while A streams past it; a tile that cannot be stored straight (columns not contiguous, or a
 * last panel with 1–3 columns) goes through a 4 × 8 buffer and is scattered by the offset tables.
 */

import type { ModuleBuilder } from "../assembler/assembler.js";
import { type FunctionHandle } from "../assembler/assembler.js";
import { f32, i32, select } from "../assembler/instructions.js";
import { emitMicroKernel, tileColumns, tileRows, type Reading } from "./micro-kernel.js";

/** Flags of `multiply`. */
export const flag = {
  /** A is read in place through its row table (else it is packed). */
  rowsInPlace: 1,
  /** B is read in place through its column table (else it is packed). */
  columnsInPlace: 2,
  /** Aligned groups of 8 columns of C are contiguous. */
  storeStraight: 4,
  /** C += instead of C =. */
  accumulate: 8,
} as const;

const readings: readonly Reading[] = ["packed", "rows"];

/** Bytes that `multiply` wants at `tile`: the row table of the buffer, then the buffer. */
export const tileBytes = 4 * tileRows + 4 * tileRows * tileColumns;

/** Adds the functions that a block's product needs, and returns `multiply`. */
export function emitMultiplyBlock(module: ModuleBuilder): FunctionHandle {
  let signature = 0;
  for (const reading of readings)
    for (const width of [4, 8])
      for (let rows = 1; rows <= tileRows; rows++) {
        const kernel = emitMicroKernel(module, reading, rows, width);
        signature = kernel.signature;
        module.tableSlot(kernel);
      }
  return emitMultiply(module, signature, emitScatter(module));
}

/** `multiply(flags, a, aRows, b, bColumns, bStride, m, n, k, c, cRows, cColumns, tile)` */
function emitMultiply(
  module: ModuleBuilder,
  kernelSignature: number,
  scatter: FunctionHandle,
): FunctionHandle {
  return module.function(null, (f) => {
    const flags = f.parameter("i32");
    const a = f.parameter("i32");
    const aRows = f.parameter("i32");
    const b = f.parameter("i32");
    const bColumns = f.parameter("i32");
    const bStride = f.parameter("i32");
    const m = f.parameter("i32");
    const n = f.parameter("i32");
    const k = f.parameter("i32");
    const c = f.parameter("i32");
    const cRows = f.parameter("i32");
    const cColumns = f.parameter("i32");
    const tile = f.parameter("i32");

    const rowsInPlace = f.keep(i32.and(flags, i32.const(flag.rowsInPlace)));
    const columnsInPlace = f.keep(i32.and(flags, i32.const(flag.columnsInPlace)));
    const storeStraight = f.keep(i32.and(flags, i32.const(flag.storeStraight)));
    const accumulate = f.keep(i32.and(flags, i32.const(flag.accumulate)));
    const aPanelBytes = f.keep(
      select(i32.const(0), i32.mul(k, i32.const(4 * tileRows)), rowsInPlace),
    );
    const i = f.local("i32");
    const j = f.local("i32");
    const aPanel = f.local("i32");
    const bPanel = f.keep(b);
    const aTable = f.local("i32");
    const cTable = f.local("i32");
    const width = f.local("i32");
    const slot = f.local("i32");
    const straight = f.local("i32");
    const cPanel = f.local("i32");

    const tileBuffer = f.keep(i32.add(tile, i32.const(4 * tileRows)));
    for (let row = 0; row < tileRows; row++)
      f.store(tile, i32.const(4 * tileColumns * row), 4 * row);

    f.while(j, n, tileColumns, () => {
      f.set(width, i32.min(i32.const(tileColumns), i32.sub(n, j)));
      f.if(columnsInPlace, () => f.set(bPanel, i32.add(b, i32.load(bColumns))));
      f.set(
        straight,
        i32.and(
          i32.eq(i32.and(width, i32.const(3)), i32.const(0)),
          i32.ltS(i32.const(0), storeStraight),
        ),
      );
      f.if(straight, () => f.set(cPanel, i32.add(c, i32.load(cColumns))));
      f.set(i, i32.const(0));
      f.set(aPanel, a);
      f.set(aTable, aRows);
      f.set(cTable, cRows);
      f.while(i, m, tileRows, () => {
        const rows = i32.min(i32.const(tileRows), i32.sub(m, i));
        f.set(
          slot,
          i32.add(i32.sub(rows, i32.const(1)), i32.mul(rowsInPlace, i32.const(2 * tileRows))),
        );
        f.bump(slot, i32.mul(i32.gtS(width, i32.const(4)), i32.const(tileRows)));
        f.if(
          straight,
          () =>
            f.callIndirect(
              kernelSignature,
              slot,
              aPanel,
              aTable,
              bPanel,
              bStride,
              k,
              cPanel,
              cTable,
              accumulate,
            ),
          () => {
            f.callIndirect(
              kernelSignature,
              slot,
              aPanel,
              aTable,
              bPanel,
              bStride,
              k,
              tileBuffer,
              tile,
              i32.const(0),
            );
            f.call(scatter, tileBuffer, c, cTable, rows, cColumns, width, accumulate);
          },
        );
        f.bump(aPanel, aPanelBytes);
        f.bump(aTable, 4 * tileRows);
        f.bump(cTable, 4 * tileRows);
      });
      f.bump(bPanel, i32.mul(k, i32.const(4 * tileColumns)));
      f.bump(bColumns, 4 * tileColumns);
      f.bump(cColumns, 4 * tileColumns);
    });
  });
}

/** (tile, c, rows, rowCount, columns, columnCount, accumulate): the valid part of a tile into C. */
function emitScatter(module: ModuleBuilder): FunctionHandle {
  return module.function(null, (f) => {
    const tile = f.parameter("i32");
    const c = f.parameter("i32");
    const rows = f.parameter("i32");
    const rowCount = f.parameter("i32");
    const columns = f.parameter("i32");
    const columnCount = f.parameter("i32");
    const accumulate = f.parameter("i32");
    const i = f.local("i32");
    const j = f.local("i32");
    const row = f.local("i32");
    const at = f.local("i32");
    const value = f.local("f32");
    f.while(i, rowCount, 1, () => {
      f.set(row, i32.add(c, i32.load(rows)));
      f.set(j, i32.const(0));
      f.while(j, columnCount, 1, () => {
        const j4 = i32.shl(j, i32.const(2));
        f.set(at, i32.add(row, i32.load(i32.add(columns, j4))));
        f.set(value, f32.load(i32.add(tile, j4)));
        f.if(accumulate, () => f.set(value, f32.add(value, f32.load(at))));
        f.store(at, value);
      });
      f.bump(tile, 4 * tileColumns);
      f.bump(rows, 4);
    });
  });
}
