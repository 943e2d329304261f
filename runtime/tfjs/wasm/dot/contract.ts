/**
 * The whole contraction as one function: over its units (a unit is a part of the rows and columns of one batch
 * item's product), then over blocks, as in Goto & van de Geijn (2008). Block sizes keep a packed block of A
 * (128 × 256 floats, 128 KB) in the second cache and one panel of B (256 × 8, 8 KB) in the first.
 *
 * What a product is comes as a plan: a table of 32-bit numbers in the heap.
 */

import { ModuleBuilder, type Local } from "../assembler/assembler.js";
import { i32, select, type I32 } from "../assembler/instructions.js";
import { tileColumns, tileRows } from "./micro-kernel.js";
import { emitMultiplyBlock, flag, tileBytes } from "./multiply.js";
import { emitPack, packings, type Packing } from "./pack.js";

export const blockRows = 128;
export const blockColumns = 1024;
export const blockK = 256;

/** The numbers of a plan, in their order in the table. */
export const planWords = [
  ...["m", "n", "k", "aRows", "aK", "bColumns", "bK", "cRows", "cColumns", "flags", "bStride"],
  ...["packA", "packB"], // table slots, or −1: read in place
  ...["batchA", "batchB", "batchC"], // tables of byte offsets, by batch item
  ...["unitRows", "unitColumns"], // of C, in one unit
  ...["unitsAcross", "unitsEach"], // units along the columns, and in one batch item
  ...["scratch", "scratchEach", "packedB"], // address, bytes for each thread, offset of packed B in them
] as const;
export type PlanWord = (typeof planWords)[number];

export interface ContractModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly slotA: Readonly<Record<Packing, number>>;
  readonly slotB: Readonly<Record<Packing, number>>;
}

/** Exports `contract(plan, a, b, c, from, to, thread)`. */
export function buildContractModule(sharedMemory: boolean): ContractModule {
  const module = new ModuleBuilder();
  const multiply = emitMultiplyBlock(module);
  let packSignature = 0;
  const slots = (width: number): Record<Packing, number> =>
    Object.fromEntries(
      packings.map((packing) => {
        const pack = emitPack(module, width, packing);
        packSignature = pack.signature;
        return [packing, module.tableSlot(pack)];
      }),
    ) as Record<Packing, number>;
  const [slotA, slotB] = [slots(tileRows), slots(tileColumns)];

  module.function("contract", (f) => {
    const plan = f.parameter("i32");
    const [a, b, c] = [f.parameter("i32"), f.parameter("i32"), f.parameter("i32")];
    const unit = f.parameter("i32");
    const to = f.parameter("i32");
    const thread = f.parameter("i32");
    const p = Object.fromEntries(
      planWords.map((name, i) => [name, f.keep(i32.load(plan, 4 * i))]),
    ) as Record<PlanWord, Local<"i32">>;
    const bytes = (elements: I32): I32 => i32.shl(elements, i32.const(2));
    const entry = (table: I32, index: I32): I32 => i32.load(i32.add(table, bytes(index)));

    const tile = f.keep(i32.add(p.scratch, i32.mul(thread, p.scratchEach)));
    const packedA = f.keep(i32.add(tile, i32.const(packedAt)));
    const packedB = f.keep(i32.add(tile, p.packedB));
    const [aItem, bItem, cItem] = [f.local("i32"), f.local("i32"), f.local("i32")];
    const [i, iEnd, iStart] = [f.local("i32"), f.local("i32"), f.local("i32")];
    const [j, jEnd, l] = [f.local("i32"), f.local("i32"), f.local("i32")];
    const [rows, columns, depth] = [f.local("i32"), f.local("i32"), f.local("i32")];
    const [flags, bAt, aAt] = [f.local("i32"), f.local("i32"), f.local("i32")];
    const bStep = f.keep(
      select(i32.const(4 * tileColumns), p.bStride, i32.leS(i32.const(0), p.packB)),
    );

    f.while(unit, to, 1, () => {
      const item = f.keep(i32.divU(unit, p.unitsEach));
      const place = f.keep(i32.remU(unit, p.unitsEach));
      f.set(aItem, i32.add(a, entry(p.batchA, item)));
      f.set(bItem, i32.add(b, entry(p.batchB, item)));
      f.set(cItem, i32.add(c, entry(p.batchC, item)));
      f.set(iStart, i32.mul(i32.divU(place, p.unitsAcross), p.unitRows));
      f.set(iEnd, i32.min(p.m, i32.add(iStart, p.unitRows)));
      f.set(j, i32.mul(i32.remU(place, p.unitsAcross), p.unitColumns));
      f.set(jEnd, i32.min(p.n, i32.add(j, p.unitColumns)));
      f.while(j, jEnd, blockColumns, () => {
        f.set(columns, i32.min(i32.const(blockColumns), i32.sub(jEnd, j)));
        const bColumns = f.keep(i32.add(p.bColumns, bytes(j)));
        f.set(l, i32.const(0));
        f.while(l, p.k, blockK, () => {
          f.set(depth, i32.min(i32.const(blockK), i32.sub(p.k, l)));
          const accumulates = i32.mul(i32.gtS(l, i32.const(0)), i32.const(flag.accumulate));
          f.set(flags, i32.add(p.flags, accumulates));
          f.if(
            i32.leS(i32.const(0), p.packB),
            () => {
              const ks = i32.add(p.bK, bytes(l));
              f.callIndirect(packSignature, p.packB, packedB, bItem, bColumns, columns, ks, depth);
              f.set(bAt, packedB);
            },
            () => f.set(bAt, i32.add(bItem, i32.mul(l, p.bStride))),
          );
          f.set(i, iStart);
          f.while(i, iEnd, blockRows, () => {
            f.set(rows, i32.min(i32.const(blockRows), i32.sub(iEnd, i)));
            const aRows = f.keep(i32.add(p.aRows, bytes(i)));
            f.if(
              i32.leS(i32.const(0), p.packA),
              () => {
                const ks = i32.add(p.aK, bytes(l));
                f.callIndirect(packSignature, p.packA, packedA, aItem, aRows, rows, ks, depth);
                f.set(aAt, packedA);
              },
              () => f.set(aAt, i32.add(aItem, bytes(l))),
            );
            f.call(
              multiply,
              ...[flags, aAt, aRows, bAt, bColumns, bStep, rows, columns, depth, cItem],
              i32.add(p.cRows, bytes(i)),
              i32.add(p.cColumns, bytes(j)),
              tile,
            );
          });
        });
      });
    });
  });
  return { bytes: module.finish(sharedMemory), slotA, slotB };
}

/** Offset of packed A in a thread's scratch: the tile of `multiply` comes first. */
export const packedAt = Math.ceil(tileBytes / 64) * 64;
