/** How much memory a program's buffers need at once, by traversal of its `alloc` and `free` steps. */

import type { Program, ProgramFunction, Step } from "../ir/program.js";
import { type TensorType, byteCount } from "../ir/types.js";

export interface Memory {
  /** The most that buffers made by the function and by what it calls take at one time, in bytes. */
  readonly peak: number;
  /** How many buffers it makes itself. */
  readonly buffers: number;
}

/** Bytes of a buffer that a function makes: on a mesh, of the part of it that one device has. */
export type BytesOf = (type: TensorType, fn: string) => number;

/** For every function of a program; inputs and parameters belong to the caller and are not counted. */
export function programMemory(
  { functions }: Program,
  bytesOf: BytesOf = (type) => byteCount(type),
): ReadonlyMap<string, Memory> {
  const known = new Map<string, Memory>();
  const visit = (name: string): Memory => {
    let memory = known.get(name);
    if (!memory) known.set(name, (memory = functionMemory(functions.get(name)!, visit, bytesOf)));
    return memory;
  };
  for (const name of functions.keys()) visit(name);
  return known;
}

function functionMemory(
  { name, buffers, steps }: ProgramFunction,
  callee: (name: string) => Memory,
  bytesOf: BytesOf,
): Memory {
  const makers = makersOf(steps);
  const bytes = (id: number): number => bytesOf(buffers[id]!.type, makers.get(id) ?? name);
  let [live, peak, made] = [0, 0, 0];
  const make = (id: number): void => {
    live += bytes(id);
    made += 1;
    peak = Math.max(peak, live);
  };
  for (const step of steps) {
    if (step.kind === "alloc") {
      if (!makers.has(step.buffer)) make(step.buffer); // a call makes its results itself
    } else if (step.kind === "free") live -= bytes(step.buffer);
    else if (step.kind === "call") {
      peak = Math.max(peak, live + callee(step.callee).peak);
      for (const id of step.outputs) if (id !== null) make(id); // made inside, owned here
    }
  }
  return { peak, buffers: made };
}

/** The functions that make the results of calls. */
export function makersOf(steps: readonly Step[]): ReadonlyMap<number, string> {
  return new Map(
    steps.flatMap((step) =>
      step.kind === "call"
        ? step.outputs.flatMap((id) => (id === null ? [] : [[id, step.callee] as const]))
        : [],
    ),
  );
}
