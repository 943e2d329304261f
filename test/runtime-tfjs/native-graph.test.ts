/** Recordings on TensorFlow: what is recorded, how it is written, and that a run computes what single calls do. */

import { describe, expect, it } from "vitest";
import { chooseBackend } from "../../runtime/tfjs/backend.js";
import type { Binding, NativeBackend } from "../../runtime/tfjs/native/graph/binding.js";
import { GraphDef } from "../../runtime/tfjs/native/graph/graph-def.js";
import { bytes, float, integer } from "../../runtime/tfjs/native/graph/protobuf.js";
import { Session } from "../../runtime/tfjs/native/graph/session.node.js";
import { Tape } from "../../runtime/tfjs/native/graph/tape.js";
import { Variables } from "../../runtime/tfjs/native/graph/variables.js";
import { checkRecorded } from "../support/kernels/check-recorded.js";
import { backendRuns } from "../support/models/run-on-backend.js";

describe("protocol buffers", () => {
  it("are written as the wire format says", () => {
    expect(integer(1, 300).toString("hex")).toBe("08ac02");
    expect(integer(2, -1).toString("hex")).toBe("10ffffffffffffffffff01");
    expect(float(5, 1).toString("hex")).toBe("2d0000803f");
    expect(bytes(2, "testing").toString("hex")).toBe("120774657374696e67");
  });
});

/** A backend that makes tensors 1, 2, 3, … and computes nothing. */
function fakeBackend(): NativeBackend {
  let made = 0;
  const infos = new Map<object, { id: number; values: null; shape: number[]; dtype: number }>();
  const metadata = () => ({ id: ++made, shape: [], dtype: 1 });
  const binding = {
    createTensor: () => ++made,
    executeOp: (_: string, __: unknown, ___: unknown, outputs: number) =>
      Array.from({ length: outputs }, metadata),
    tensorDataSync: () => [0],
    ...{ TF_FLOAT: 1, TF_INT32: 3, TF_BOOL: 10, TF_INT64: 9 },
    ...{ TF_ATTR_TYPE: 4, TF_ATTR_INT: 1, TF_ATTR_SHAPE: 5 },
  } as unknown as Binding;
  const backend = {
    binding,
    tensorMap: { get: (dataId: object) => infos.get(dataId)! },
    write: () => {
      const dataId = {};
      infos.set(dataId, { ...metadata(), values: null });
      return dataId;
    },
    getInputTensorIds: (tensors: readonly { dataId: object }[]) =>
      tensors.map(({ dataId }) => infos.get(dataId)!.id),
  };
  return backend as unknown as NativeBackend;
}

describe("a recording", () => {
  const attributes = [{ name: "T", type: 4, value: 1 }];

  it("holds constants, ops and what they are given, and ends with its run", () => {
    const backend = fakeBackend();
    const given = backend.write([0], [], "float32"); // 1
    const tape = new Tape();
    tape.run(backend, () => {
      const constant = backend.binding.createTensor([2], 1, [1, 2]);
      const [id] = backend.getInputTensorIds([{ dataId: given }]);
      return backend.binding.executeOp("Add", attributes, [constant, id!], 1);
    });
    backend.binding.createTensor([], 1, [3]);
    expect(tape.recorded).toEqual([
      { kind: "constant", id: 2, shape: [2], dtype: 1, values: Float64Array.of(1, 2) },
      { kind: "op", name: "Add", attributes, inputs: [2, 1], outputs: [3] },
    ]);
    expect(tape.externals.map(({ id }) => id)).toEqual([1]);
  });

  it("fails where a value is read back, unless to check a gather's indices", () => {
    const reading = (name: string, inputs: number[]) => (): unknown => {
      const backend = fakeBackend();
      return new Tape().run(backend, () => {
        backend.binding.tensorDataSync(7);
        return backend.binding.executeOp(name, [], inputs, 1);
      });
    };
    expect(reading("GatherV2", [5, 7, 6])).not.toThrow();
    expect(reading("GatherV2", [7, 5, 6])).toThrow("reads values back");
    expect(reading("Slice", [5, 7])).toThrow("reads values back");
    const backend = fakeBackend();
    expect(() => new Tape().run(backend, () => backend.binding.tensorDataSync(1))).toThrow(
      "reads values back",
    );
  });

  it("becomes a graph with equal constants once", () => {
    const backend = fakeBackend();
    const given = backend.write([0], [], "float32"); // 1
    const tape = new Tape();
    tape.run(backend, () => {
      const constants = [4, 4].map((value) => backend.binding.createTensor([3], 1, [value, 4, 4]));
      const [id] = backend.getInputTensorIds([{ dataId: given }]);
      return backend.binding.executeOp("AddN", attributes, [...constants, id!], 1);
    });
    const graph = new GraphDef(backend.binding);
    const names = tape.write(graph, new Map([[1, "given:0"]]));
    expect(names.get(4)).toBe("op2:0");
    expect(graph.savedModel().toString("latin1").split("Const").length).toBe(2);
  });
});

const available = backendRuns.find(({ backend }) => backend === "node-gpu")!.available;

describe.skipIf(!available)("a step recorded on TensorFlow", () => {
  it("is that of single calls, and changes nothing where it is not finite", async () => {
    await checkRecorded(await chooseBackend("node-gpu"));
  }, 60_000);

  it("shares no memory with the arrays that its weights were made of", async () => {
    const { tf } = await chooseBackend("node-gpu");
    const { binding } = tf.backend() as unknown as NativeBackend;
    // several: TensorFlow shares the memory of an array only where it lies aligned
    const arrays = Array.from({ length: 64 }, () => new Float32Array(8));
    const weights = Object.fromEntries(arrays.map((array, i) => [`w${i}`, tf.tensor(array)]));
    const variables = new Variables(tf, { weights, m: {}, v: {}, momentum: {} });
    const graph = new GraphDef(binding);
    variables.write(graph);
    const type = graph.type("dtype", binding.TF_FLOAT);
    const more = graph.constant("more", {
      shape: [8],
      dtype: binding.TF_FLOAT,
      values: Array<number>(8).fill(1),
    });
    const added = arrays.map((_, i) => {
      graph.add(
        `add${i}`,
        "AssignAddVariableOp",
        [variables.of("weights", `w${i}`).handle, more],
        [type],
      );
      return `^add${i}`;
    });
    graph.add("done", "Identity", [more, ...added], [graph.type("T", binding.TF_FLOAT)]);
    const session = new Session(binding, graph);
    variables.start(session);
    for (const array of arrays) array.fill(5);
    for (const { id } of session.run(new Map(), ["done:0"])) binding.deleteTensor(id);
    variables.end();
    for (const weight of Object.values(weights)) {
      expect([...weight.dataSync()]).toEqual(Array(8).fill(1));
      weight.dispose();
    }
    session.free();
  }, 60_000);

  it("is told of once where TensorFlow will take long to prepare it", async () => {
    const { tf, recorder } = await chooseBackend("node-gpu");
    const told: string[] = [];
    recorder!.tell = (line) => void told.push(line);
    const one = tf.scalar(1);
    const unrolled = (ops: number) => () =>
      tf.tidy(() => {
        let sum = one;
        for (let i = 0; i < ops; i++) sum = tf.add(sum, one);
        return sum;
      });
    for (const ops of [100, 10_001, 10_001]) {
      const recording = await recorder!.record(unrolled(ops));
      recording.free();
      recording.result.dispose();
    }
    one.dispose();
    expect(told).toEqual([expect.stringMatching(/^one graph of 10,00\d TensorFlow ops.*unrolled/)]);
  }, 60_000);
});
