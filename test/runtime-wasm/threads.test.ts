/** The team of worker threads, and the memory that it shares with tfjs. */

import type { Tensor } from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";
import { chooseBackend } from "../../runtime/tfjs/backend.js";
import { createGenericKernels } from "../../runtime/tfjs/generic/index.js";
import type { KernelSet } from "../../runtime/tfjs/kernel-set.js";
import { defineMap } from "../../runtime/tfjs/map.js";
import { createWasmKernels } from "../../runtime/tfjs/wasm/index.js";
import { withSharedMemory } from "../../runtime/tfjs/backends/wasm-node.node.js";
import { ModuleBuilder } from "../../runtime/tfjs/wasm/assembler/assembler.js";
import { i32 } from "../../runtime/tfjs/wasm/assembler/instructions.js";
import { chunksFor, solo } from "../../runtime/tfjs/wasm/threads/team.js";
import { startTeam } from "../../runtime/tfjs/wasm/threads/workers.node.js";

process.env["LSM_THREADS"] = "3"; // so that tfjs gets a shared memory on any machine
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

describe("results", () => {
  const gelu = defineMap("x:BTD, g:D, p:BT -> BTD", "x * sigmoid(x) * g + p");
  const columns = defineMap("x:BTD, y:BTD -> D", "x * y", "sum");
  const rows = defineMap("x:BTD -> BT", "x * x", "max");

  it.each([
    [1, 1, 16],
    [2, 64, 48],
    [3, 37, 33],
    [1, 1000, 32],
    [5, 128, 256],
    [2, 333, 7],
  ])("are the same to the last bit on one thread and on three: %i × %i × %i", async (b, t, d) => {
    const { tf } = await chooseBackend("wasm");
    const generic = createGenericKernels(tf);
    const random = (...shape: number[]): Tensor => tf.randomNormal(shape);
    const [x, y, g, p, w] = [
      random(b, t, d),
      random(b, t, d),
      random(d),
      random(b, t),
      random(d, 3 * d),
    ];
    const options = {
      beta1: 0.9,
      beta2: 0.95,
      epsilon: 1e-8,
      decay: 0.1,
      rate: 1e-3,
      step: 3,
      scale: 0.5,
    };
    const all = (kernels: KernelSet): Tensor[] => [
      kernels.map(gelu, [x, g, p], {}),
      kernels.map(columns, [x, y], {}),
      kernels.map(rows, [x], {}),
      kernels.sum("BTD->TD", x),
      kernels.expand("BTD->DBT", x, {}),
      kernels.dot("BTD,DF->BTF", x, w),
      kernels.dot("BTD,BTF->DF", x, y),
      kernels.dot("BTD,BSD->BTS", x, y),
      ...kernels.adamw(options, x, y, x, x),
    ];
    const [one, three] = [null, (memory: WebAssembly.Memory) => startTeam(memory, 3, 1e-6)].map(
      (start) => all(createWasmKernels(tf, generic, start)),
    );
    const bits = async (tensor: Tensor): Promise<Buffer> =>
      Buffer.from((await tensor.data()).buffer);
    for (const [i, tensor] of one!.entries())
      expect((await bits(three![i]!)).equals(await bits(tensor)), `result ${i}`).toBe(true);
    tf.dispose([x, y, g, p, w, ...one!, ...three!]);
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
