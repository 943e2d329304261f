/** What the kernels owe tfjs's heap: views that survive growth, no leaks, exact accounting. */

import { beforeAll, describe, expect, it } from "vitest";
import { type Backend, chooseBackend } from "../../runtime/tfjs/backend.js";
import { defineMap } from "../../runtime/tfjs/map.js";

let backend: Backend;
beforeAll(async () => {
  backend = await chooseBackend("wasm");
});

describe("tfjs's heap", () => {
  it("may grow between kernels and inside one", () => {
    const { tf, kernels } = backend;
    const memory = (tf.backend() as unknown as { wasm: { asm: { memory: WebAssembly.Memory } } })
      .wasm.asm.memory;
    const table = tf.tensor2d([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const ids = tf.tensor1d([2, 0, 2], "int32");
    const kept = [kernels.topK(table, 1, 1)];
    const start = memory.buffer.byteLength;
    // Each result is larger than what is free, so each call grows the memory while it runs.
    while (memory.buffer.byteLength < start + 3 * 2 ** 24) {
      kept.push(kernels.expand("AB->CAB", table, { C: 2 ** 19 }));
      kept.push(kernels.take("VD,T->TD", "V", table, ids));
      kept.push(kernels.put("T,TD->VD", "V", 2 ** 20, ids, table));
    }
    expect([...kept.at(-2)!.dataSync()]).toEqual([5, 6, 1, 2, 5, 6]);
    expect([...kept.at(-1)!.dataSync().slice(0, 6)]).toEqual([3, 4, 0, 0, 6, 8]);
    expect([...kept[1]!.dataSync().slice(-6)]).toEqual([1, 2, 3, 4, 5, 6]);
    tf.dispose([table, ids, ...kept]);
  });

  it("holds as many tensors and bytes after a step as before", () => {
    const { tf, kernels } = backend;
    const silu = defineMap("x:BT -> BT", "x * sigmoid(x)");
    const x = tf.randomNormal([8, 16]);
    const w = tf.randomNormal([16, 4]);
    const step = (): void => {
      const h = kernels.map(silu, [x], {});
      const y = kernels.dot("BT,TD->BD", h, w);
      const view = kernels.reshape(y, [4, 8]);
      y.dispose();
      const total = kernels.sum("AB->", view);
      tf.dispose([h, view, total]);
    };
    step();
    const before = { ...tf.memory() };
    for (let i = 0; i < 100; i++) step();
    const after = tf.memory();
    expect(after.numTensors).toBe(before.numTensors);
    expect(after.numDataBuffers).toBe(before.numDataBuffers);
    expect(after.numBytes).toBe(before.numBytes);
    tf.dispose([x, w]);
  });

  it("keeps a reshaped tensor's data until both are gone", () => {
    const { tf, kernels } = backend;
    const x = tf.tensor1d([1, 2, 3, 4]);
    const view = kernels.reshape(x, [2, 2]);
    x.dispose();
    expect([...view.dataSync()]).toEqual([1, 2, 3, 4]);
    view.dispose();
    expect(view.isDisposed).toBe(true);
  });

  it("gives results back to a tidy scope", () => {
    const { tf, kernels } = backend;
    const before = tf.memory().numTensors;
    const x = tf.tensor1d([1, 2, 3]);
    const total = tf.tidy(() =>
      kernels.sum("A->", kernels.expand("A->BA", x, { B: 2 }).reshape([6])),
    );
    expect(total.dataSync()[0]).toBe(12);
    tf.dispose([x, total]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("refuses ids that point outside", () => {
    const { tf, kernels } = backend;
    const table = tf.zeros([3, 2]);
    const ids = tf.tensor1d([3], "int32");
    expect(() => kernels.take("VD,T->TD", "V", table, ids)).toThrow(/3 is not one of 0 … 2/);
    tf.dispose([table, ids]);
  });
});
