/** The assembler: encodings at their edges, and modules that an engine accepts and runs. */

import { describe, expect, it } from "vitest";
import { ModuleBuilder } from "../../runtime/tfjs/wasm/assembler/assembler.js";
import { flatten, signed, unsigned } from "../../runtime/tfjs/wasm/assembler/encoding.js";
import { f32x4, i32, v128 } from "../../runtime/tfjs/wasm/assembler/instructions.js";

/** Instantiates over one page of memory. */
function instantiate(module: ModuleBuilder): {
  readonly run: (...values: number[]) => void;
  readonly words: Int32Array;
  readonly floats: Float32Array;
} {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const compiled = new WebAssembly.Module(module.finish(false));
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  return {
    run: exports["run"] as (...values: number[]) => void,
    words: new Int32Array(memory.buffer),
    floats: new Float32Array(memory.buffer),
  };
}

describe("the assembler", () => {
  it("encodes integers as LEB128", () => {
    expect(unsigned(0)).toEqual([0]);
    expect(unsigned(127)).toEqual([0x7f]);
    expect(unsigned(128)).toEqual([0x80, 1]);
    expect(unsigned(2 ** 32 - 1)).toEqual([0xff, 0xff, 0xff, 0xff, 0x0f]);
    expect(signed(63)).toEqual([0x3f]);
    expect(signed(64)).toEqual([0xc0, 0]);
    expect(signed(-1)).toEqual([0x7f]);
    expect(signed(-(2 ** 31))).toEqual([0x80, 0x80, 0x80, 0x80, 0x78]);
    expect(flatten([1, [2, [3], []], 4])).toEqual([1, 2, 3, 4]);
  });

  it("runs loops and branches", () => {
    const module = new ModuleBuilder();
    module.function("run", (f) => {
      const n = f.parameter("i32");
      const [odd, even, i] = [f.local("i32"), f.local("i32"), f.local("i32")];
      f.while(i, n, 1, () =>
        f.if(
          i32.and(i, i32.const(1)),
          () => f.bump(odd, i),
          () => f.bump(even, i),
        ),
      );
      f.store(i32.const(0), odd);
      f.store(i32.const(0), even, 4);
    });
    const { run, words } = instantiate(module);
    run(7);
    expect([...words.slice(0, 2)]).toEqual([9, 12]);
    run(0);
    expect([...words.slice(0, 2)]).toEqual([0, 0]);
  });

  it("calls functions directly and through its table", () => {
    const module = new ModuleBuilder();
    const writer = (value: number) =>
      module.function(null, (f) => {
        const at = f.parameter("i32");
        f.store(at, i32.const(value));
      });
    const handles = [writer(10), writer(20)];
    const slots = handles.map((handle) => module.tableSlot(handle));
    expect(slots).toEqual([0, 1]);
    module.function("run", (f) => {
      const slot = f.parameter("i32");
      f.call(handles[0]!, i32.const(0));
      f.callIndirect(handles[0]!.signature, slot, i32.const(4));
    });
    const { run, words } = instantiate(module);
    run(1);
    expect([...words.slice(0, 2)]).toEqual([10, 20]);
    expect(() => run(2)).toThrow(WebAssembly.RuntimeError);
  });

  it("computes on vectors, constants set once", () => {
    const module = new ModuleBuilder();
    module.function("run", (f) => {
      const at = f.parameter("i32");
      const x = f.keep(v128.load(at));
      const scaled = f.keep(f32x4.mul(x, f.constant(f32x4.const(2))));
      f.store(at, f32x4.add(scaled, f.constant(f32x4.lanes([1, 2, 3, 4]))));
      f.storeLane(at, scaled, 3, 16);
    });
    const { run, floats } = instantiate(module);
    floats.set([1, 2, 3, 4]);
    run(0);
    expect([...floats.slice(0, 5)]).toEqual([3, 6, 9, 12, 8]);
  });

  it("imports a shared memory as one", () => {
    const module = new ModuleBuilder();
    module.function("run", (f) => f.store(i32.const(0), i32.const(7)));
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
    const compiled = new WebAssembly.Module(module.finish(true));
    const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
    (exports["run"] as () => void)();
    expect(new Int32Array(memory.buffer)[0]).toBe(7);
  });
});
