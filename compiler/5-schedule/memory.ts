/** How much memory a program's buffers need at once, by traversal of its `alloc` and `free` steps. */

import type { Program, ProgramFunction } from "../ir/program.js";
import { byteCount } from "../ir/types.js";

export interface Memory {
  /** The most that buffers made by the function and by what it calls take at one time, in bytes. */
  readonly peak: number;
  /** How many buffers it makes itself. */
  readonly buffers: number;
}

/** For every function of a program; inputs and parameters belong to the caller and are not counted. */
export function programMemory({ functions }: Program): ReadonlyMap<string, Memory> {
  const known = new Map<string, Memory>();
  const visit = (name: string): Memory => {
    let memory = known.get(name);
    if (!memory) known.set(name, (memory = functionMemory(functions.get(name)!, visit)));
    return memory;
  };
  for (const name of functions.keys()) visit(name);
  return known;
}

function functionMemory(
  { buffers, steps }: ProgramFunction,
  callee: (name: string) => Memory,
): Memory {
  const bytes = (id: number): number => byteCount(buffers[id]!.type);
  let [live, peak, made] = [0, 0, 0];
  const make = (id: number): void => {
    live += bytes(id);
    made += 1;
    peak = Math.max(peak, live);
  };
  for (const step of steps) {
    if (step.kind === "alloc") make(step.buffer);
    else if (step.kind === "free") live -= bytes(step.buffer);
    else if (step.kind === "call") {
      peak = Math.max(peak, live + callee(step.callee).peak);
      for (const id of step.outputs) if (id !== null) make(id); // made inside, owned here
    }
  }
  return { peak, buffers: made };
}
