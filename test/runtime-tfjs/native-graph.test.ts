/** Gradients on TensorFlow as one graph: what is recorded, how it is written, and that a replay computes the same. */

import type { Tensor } from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";
import { compileTraining } from "../../compiler/compile.js";
import { trainableFromPrograms } from "../../compiler/6-emit/tfjs/interpreted.js";
import { RandomStream } from "../../runtime/random/stream.js";
import { chooseBackend, type TrainableInputs } from "../../runtime/tfjs/backend.js";
import type { Binding, NativeBackend } from "../../runtime/tfjs/native/graph/binding.js";
import { bytes, float, integer } from "../../runtime/tfjs/native/graph/protobuf.js";
import { record } from "../../runtime/tfjs/native/graph/record.js";
import { recordGradients } from "../../runtime/tfjs/native/graph/replay.node.js";
import { savedModel } from "../../runtime/tfjs/native/graph/saved-model.js";
import type { GradientResult, TensorMap } from "../../runtime/tfjs/train/trainable.js";
import {
  modelOf,
  randomBatch,
  randomParameters,
  relativeError,
} from "../support/models/instance.js";
import { backendRuns } from "../support/models/run-on-backend.js";

describe("protocol buffers", () => {
  it("are written as the wire format says", () => {
    expect(integer(1, 300).toString("hex")).toBe("08ac02");
    expect(integer(2, -1).toString("hex")).toBe("10ffffffffffffffffff01");
    expect(float(5, 1).toString("hex")).toBe("2d0000803f");
    expect(bytes(2, "testing").toString("hex")).toBe("120774657374696e67");
  });
});

/** A binding that makes tensors 1, 2, 3, … and computes nothing. */
function fakeBackend(): NativeBackend {
  let made = 0;
  const metadata = (): { id: number; shape: number[]; dtype: number } => ({
    id: ++made,
    shape: [],
    dtype: 1,
  });
  const binding = {
    createTensor: () => ++made,
    executeOp: (_: string, __: unknown, ___: unknown, outputs: number) =>
      Array.from({ length: outputs }, metadata),
    tensorDataSync: () => [0],
    ...{ TF_FLOAT: 1, TF_INT32: 3, TF_BOOL: 10, TF_INT64: 9 },
    ...{ TF_ATTR_TYPE: 4, TF_ATTR_INT: 1, TF_ATTR_SHAPE: 5 },
  } as unknown as Binding;
  return { binding } as NativeBackend;
}

describe("a recording", () => {
  const attributes = [{ name: "T", type: 4, value: 1 }];

  it("holds constants and ops, and ends with its run", () => {
    const backend = fakeBackend();
    const { recorded } = record(backend, () => {
      const constant = backend.binding.createTensor([2], 1, [1, 2]);
      return backend.binding.executeOp("Neg", attributes, [constant], 1);
    });
    backend.binding.createTensor([], 1, [3]);
    expect(recorded).toEqual([
      { kind: "constant", id: 1, shape: [2], dtype: 1, values: [1, 2] },
      { kind: "op", name: "Neg", attributes, inputs: [1], outputs: [2] },
    ]);
  });

  it("is none where a value was read back, unless to check a gather's indices", () => {
    const reading = (name: string, inputs: number[]): unknown => {
      const backend = fakeBackend();
      return record(backend, () => {
        backend.binding.tensorDataSync(7);
        backend.binding.executeOp(name, [], inputs, 1);
      }).recorded;
    };
    expect(reading("GatherV2", [5, 7, 6])).not.toBeNull();
    expect(reading("GatherV2", [7, 5, 6])).toBeNull();
    expect(reading("Slice", [5, 7])).toBeNull();
    const backend = fakeBackend();
    expect(record(backend, () => backend.binding.tensorDataSync(1)).recorded).toBeNull();
  });

  it("becomes a graph with equal constants once, and none where a tensor is missing", () => {
    const { binding } = fakeBackend();
    const constant = (id: number) =>
      ({ kind: "constant", id, shape: [3], dtype: 1, values: [4, 4, 4] }) as const;
    const add = { kind: "op", name: "AddV2", attributes, inputs: [1, 3], outputs: [4] } as const;
    const given = [{ id: 1, shape: [3], dtype: 1 }];
    const model = savedModel(binding, given, [constant(2), constant(3), add], [4]);
    expect(model.inputNames).toBe("given0:0");
    expect(model.outputNames).toBe("op2:0");
    expect(model.content.toString("latin1").split("Const").length).toBe(2);
    expect(() => savedModel(binding, [], [add], [4])).toThrow("tensor 1");
  });
});

const available = backendRuns.find(({ backend }) => backend === "node-gpu")!.available;
const head = "language_model(vocab: 11, width: 8, blocks: [";
const models: readonly (readonly [name: string, blocks: string, graph: boolean])[] = [
  ["GLA", "Block(GLA(heads: 2), swiglu(hidden: 12))", true],
  ["Gated DeltaNet, with convolutions", "Block(GatedDeltaNet(heads: 2), swiglu(hidden: 12))", true],
  // its slots are sorted on the host, by what was read back
  ["a mixture of experts", "Block(GLA(heads: 2), MoE(experts: 3, top_k: 2, hidden: 8))", false],
];

describe.skipIf(!available)("gradients by graph on TensorFlow", () => {
  it.each(models)(
    "are those of one op after the other: %s",
    async (_, blocks, graph) => {
      const { tf, kernels, gradients } = await chooseBackend("node-gpu");
      const model = modelOf(`model M {\n  ${head}${blocks}])\n}`);
      const [batch, time] = [2, 19];
      const stages = compileTraining(model, { batch, time, packed: true });
      const trainable = trainableFromPrograms({
        ...stages,
        name: "M",
        vocabulary: 11,
        batch,
        time,
      });
      const random = new RandomStream(3, "graph");
      const upload = (
        values: ReadonlyMap<string, { axes: readonly { size: number }[]; data: Float64Array }>,
      ): TensorMap =>
        Object.fromEntries(
          [...values].map(([name, { axes, data }]) => [
            name,
            tf.tensor(
              Float32Array.from(data),
              axes.map(({ size }) => size),
              /^(tokens|targets)$/.test(name) ? "int32" : "float32",
            ),
          ]),
        );
      const flat = async ({
        loss,
        objective,
        gradients: made,
        updates,
      }: GradientResult): Promise<number[]> => {
        const tensors: Tensor[] = [
          loss,
          objective,
          ...Object.values(made),
          ...Object.values(updates),
        ];
        const values = await Promise.all(tensors.map((one) => one.data()));
        tf.dispose(tensors);
        return values.flatMap((one) => [...one]);
      };
      const before = tf.memory().numTensors;
      for (let step = 0; step < 4; step++) {
        const weights = upload(randomParameters(model, random));
        const inputs = upload(randomBatch(11, batch, time, random).inputs) as never;
        const expected = await flat(trainable.gradients(kernels, weights, inputs));
        expect(
          relativeError(await flat(gradients!(trainable, weights, inputs)), expected),
        ).toBeLessThan(1e-6);
        if (step === 0) {
          const eager = (...given: TrainableInputs): GradientResult =>
            trainable.gradients(kernels, ...given);
          const { result, replay } = recordGradients(tf, eager, weights, inputs);
          await flat(result);
          expect(replay !== null).toBe(graph);
        }
        tf.dispose([weights, inputs]);
      }
      expect(tf.memory().numTensors).toBe(before);
    },
    60_000,
  );
});
