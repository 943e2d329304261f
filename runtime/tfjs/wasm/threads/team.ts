/**
 * Kernels shared among threads. A kernel that can be split works on a range of its units: its exported function
 * takes its own numbers, then `from`, `to` (units) and `thread` (to find scratch of its own). Which thread
 * works on which units changes no result: each unit is computed alone, in the same order.
 */

import type { KernelFunction } from "../heap.js";

/** A kernel's number in its team, and this thread's instance of it. */
export interface SplitKernel {
  readonly id: number;
  readonly run: KernelFunction;
}

export interface Team {
  /** Threads, this one counted. */
  readonly size: number;
  /** Nanoseconds of work that are worth a chunk of its own. */
  readonly chunkWork: number;
  /** Makes an exported function of a module known to all threads. */
  enlist(module: WebAssembly.Module, name: string, run: KernelFunction): SplitKernel;
  /** Runs all units, in as many chunks as given (at most `mostChunks`), and returns when they are done. */
  run(kernel: SplitKernel, values: readonly number[], units: number, chunks: number): void;
}

export const mostChunks = 255;

/** This thread alone. */
export const solo: Team = {
  size: 1,
  chunkWork: Infinity,
  enlist: (_, __, run) => ({ id: 0, run }),
  run: ({ run }, values, units) => run(...values, 0, units, 0),
};

/** How many numbers of its own a kernel that is split can have. */
export const mostValues = 64;

/** How many chunks for work of so many nanoseconds: a few for each thread, so that a slow one takes fewer. */
export function chunksFor(team: Team, units: number, nanoseconds: number): number {
  const worth = Math.floor(nanoseconds / team.chunkWork);
  return Math.max(1, Math.min(units, worth, 4 * team.size, mostChunks));
}
