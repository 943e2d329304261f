/** The team of worker threads, and the memory that it shares with tfjs. */

import { describe, expect, it } from "vitest";
import { withSharedMemory } from "../../runtime/tfjs/backends/wasm-node.node.js";
import { ModuleBuilder } from "../../runtime/tfjs/wasm/assembler/assembler.js";
import { i32 } from "../../runtime/tfjs/wasm/assembler/instructions.js";
import { chunksFor, solo } from "../../runtime/tfjs/wasm/threads/team.js";
import { startTeam } from "../../runtime/tfjs/wasm/threads/workers.node.js";

const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });

/** `add(start, amount, from, to, thread)`: adds to every word of a range; with amount 0 it traps. */
function addModule(): WebAssembly.Module {
  const module = new ModuleBuilder();
  module.function("add", (f) => {
    const [start, amount, at, to] = [0, 1, 2, 3].map(() => f.parameter("i32"));
    f.parameter("i32");
    f.while(at!, to!, 1, () => {
      const word = i32.add(start!, i32.shl(at!, i32.const(2)));
      f.store(word, i32.add(i32.load(word), i32.divU(amount!, amount!)));
    });
  });
  return new WebAssembly.Module(module.finish(true));
}

describe("a team", () => {
  const team = startTeam(memory, 3, 1);
  const module = addModule();
  const own = new WebAssembly.Instance(module, { env: { memory } }).exports["add"] as () => void;
  const add = team.enlist(module, "add", own);

  it("does every unit of thousands of tasks once", () => {
    const units = 1000;
    for (let task = 0; task < 3000; task++) team.run(add, [0, 1], units, 1 + (task % 12));
    expect([...new Set(new Int32Array(memory.buffer, 0, units))]).toEqual([3000]);
    expect(new Int32Array(memory.buffer)[units]).toBe(0);
  });

  it("goes on over a memory that has grown", () => {
    const start = memory.buffer.byteLength;
    memory.grow(64);
    for (let task = 0; task < 100; task++) team.run(add, [start, 1], 2 ** 20, 12);
    expect([...new Set(new Int32Array(memory.buffer, start, 2 ** 20))]).toEqual([100]);
  });

  it("reports a kernel that fails in a thread, instead of waiting for it", () => {
    const failing = (): void => {
      for (let task = 0; task < 100_000; task++) team.run(add, [0, 0], 1000, 12);
    };
    expect(failing).toThrow();
  });
});

describe("how work is split", () => {
  it("gives one thread one chunk, and never more chunks than units or than the work is worth", () => {
    const team = { ...solo, size: 4, chunkWork: 1000 };
    expect(chunksFor(solo, 1000, 1e9)).toBe(1);
    expect(chunksFor(team, 1000, 1e9)).toBe(16);
    expect(chunksFor(team, 3, 1e9)).toBe(3);
    expect(chunksFor(team, 1000, 2500)).toBe(2);
    expect(chunksFor(team, 1000, 10)).toBe(1);
  });
});

describe("tfjs's binary", () => {
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

  it("gets a shared memory where it declares one with a maximum", () => {
    const bytes = Uint8Array.from([...header, 5, 4, 1, 1, 1, 2]);
    const changed = withSharedMemory(bytes)!;
    expect([...changed]).toEqual([...header, 5, 4, 1, 3, 1, 2]);
    expect(WebAssembly.validate(changed)).toBe(true);
  });

  it("is left alone where it declares none, or one without a maximum", () => {
    expect(withSharedMemory(Uint8Array.from([...header, 5, 3, 1, 0, 1]))).toBeNull();
    expect(withSharedMemory(Uint8Array.from(header))).toBeNull();
  });
});
