/**
 * Inputs of a map as bindings: each storage is bound once, and where there are more than a shader may have, some
 * are first copied into one buffer, one behind the other.
 */

import type { Tensor } from "@tensorflow/tfjs";
import { type Kernels, elementOf } from "../kernel.js";
import { type Storage, mostStorages } from "../launch.js";
import { type Element, type Program, elementwise } from "../wgsl/shader.js";

/** Where an input's elements are: in which binding, from which element on, and what they are there. */
export interface Place {
  readonly binding: number;
  readonly start: number;
  readonly element: Element;
}

export interface BoundInputs {
  readonly storages: readonly Storage[];
  readonly elements: readonly Element[]; // of the bindings; packed ones are u32
  readonly places: readonly Place[]; // of the inputs
  /** To be called when the kernel has been launched. */
  readonly release: () => void;
}

const mostSources = mostStorages - 1;

export function bindInputs(kernels: Kernels, inputs: readonly Tensor[]): BoundInputs {
  const { gpu } = kernels;
  const all = inputs.map((input) => gpu.storage(input));
  const own = [...new Set(all)];
  const element = (storage: Storage): Element => elementOf(inputs[all.indexOf(storage)]!);
  const packs = Math.max(0, Math.ceil((own.length - mostSources) / (mostSources - 1)));
  const direct = own.slice(0, mostSources - packs);
  const packed = own.slice(mostSources - packs);
  const made: Storage[] = [];
  const where = new Map<Storage, Place>(
    direct.map((storage, binding) => [storage, { binding, start: 0, element: element(storage) }]),
  );
  for (let first = 0; first < packed.length; first += mostSources) {
    const sources = packed.slice(first, first + mostSources);
    let start = 0;
    for (const source of sources) {
      const place = { binding: direct.length + made.length, start, element: element(source) };
      where.set(source, place);
      start += source.bytes / 4;
    }
    const pack = gpu.allocate(4 * start);
    const counts = sources.map(({ bytes }) => bytes / 4);
    const program = kernels.program(`pack ${counts.join()}`, () => packProgram(counts));
    kernels.run(program, [...sources, pack]);
    made.push(pack);
  }
  return {
    storages: [...direct, ...made],
    elements: [...direct.map(element), ...made.map((): Element => "u32")],
    places: all.map((storage) => where.get(storage)!),
    release: () => {
      for (const pack of made) gpu.release(pack);
    },
  };
}

/** Element `at` (an expression) of an input, as a float. */
export function load({ binding, start, element }: Place, bound: Element, at: string): string {
  const offset = start === 0 ? at : `${start}u + ${at}`;
  const stored = `x${binding}[${offset}]`;
  const own = bound === element ? stored : `bitcast<${element}>(${stored})`;
  return element === "f32" ? own : `f32(${own})`;
}

function packProgram(counts: readonly number[]): Program {
  let start = 0;
  const cases = counts.map((count, source) => {
    const line = `if (i < ${start + count}u) { y[i] = x${source}[i - ${start}u]; return; }`;
    start += count;
    return line;
  });
  return elementwise({
    bindings: [
      ...counts.map((_, i) => ({ name: `x${i}`, element: "u32", access: "read" }) as const),
      { name: "y", element: "u32", access: "write" },
    ],
    count: start,
    body: cases.join("\n"),
  });
}
