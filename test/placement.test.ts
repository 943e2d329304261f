/**
 * Phase 4: what lies where on a mesh, what crosses it, and what a device needs, held to what papers give by hand for
 * small models, and to sums that must come out whatever the model is.
 */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { check } from "../compiler/1-check/check.js";
import type { WrittenPlan } from "../compiler/1-check/blocks/mesh.js";
import type { MeshAxes } from "../compiler/1-check/blocks/tables/mesh.js";
import { differentiate } from "../compiler/3-derive/differentiate.js";
import { chooseForms } from "../compiler/3-derive/forms/forms.js";
import { lower } from "../compiler/2-lower/lower.js";
import {
  coordinatesOf,
  groupOfFirst,
  meshShape,
  nodesOfGroup,
  rankOf,
} from "../compiler/4-place/mesh-shape.js";
import { type Collective, type Work, lossChunkElements } from "../compiler/4-place/placement.js";
import { programMemory } from "../compiler/5-schedule/memory.js";
import { schedule } from "../compiler/5-schedule/schedule.js";
import { type Plan, planOf } from "../compiler/plan.js";
import { memoryHost } from "./support/memory-host.js";

const sizes = (given: Partial<MeshAxes>): MeshAxes => ({
  pp: 1,
  dp_replicate: 1,
  dp_shard: 1,
  cp: 1,
  tp: 1,
  ep: 1,
  ...given,
});

const written = (axes: Partial<MeshAxes>, rest: Partial<WrittenPlan> = {}): WrittenPlan => ({
  kind: "written",
  axes: sizes(axes),
  sequence: "lasp2",
  experts: true,
  heads: true,
  pipeline: "1f1b",
  recompute: "none",
  ...rest,
});

const usual: Work = { batch: 8, parts: 1, time: 64, packed: true, precision: "fp32" };

function planned(
  source: string,
  axes: Partial<MeshAxes>,
  work: Partial<Work> = {},
  rest: Partial<WrittenPlan> = {},
): Plan {
  const checked = check(memoryHost({ "m.lsm": source }), "m.lsm");
  expect(checked.diagnostics).toEqual([]);
  const [model] = checked.models.values();
  const plan = written(axes, rest);
  const devices = meshShape(plan.axes).devices;
  const mesh = { name: "pod", doc: null, device: "h100", devices, plan } as const;
  const result = planOf(model!, mesh, plan, { ...usual, ...work });
  if (result.kind !== "planned") throw new Error(JSON.stringify(result.uncut));
  return result.plan;
}

const model = (blocks: string, rest = ""): string =>
  `model M { language_model(vocab: 32, width: 16, blocks: ${blocks}${rest}) }`;

const of = (
  { placement }: Plan,
  wanted: Partial<Collective> & { readonly stage?: number },
): Collective[] => {
  const { stage = 0, ...rest } = wanted;
  return placement.stages[stage]!.collectives.filter((each) =>
    Object.entries(rest).every(
      ([key, value]) => JSON.stringify(each[key as keyof Collective]) === JSON.stringify(value),
    ),
  );
};

const parameter = ({ placement }: Plan, path: string) =>
  placement.parameters.find((each) => each.path === path)!;

const axesText = (plan: Plan, path: string): string =>
  parameter(plan, path)
    .axes.map(({ name, size, over }) => [`${name} ${size}`, ...over].join("/"))
    .join(" ");

describe("a mesh's shape", () => {
  const shape = meshShape(sizes({ dp_shard: 2, cp: 8, ep: 4 }));

  test("numbers its devices row by row, ep fastest", () => {
    expect([shape.devices, shape.nodes]).toEqual([64, 8]);
    expect(coordinatesOf(shape, 37)).toEqual({
      ...sizes({}),
      pp: 0,
      dp_replicate: 0,
      dp_shard: 1,
      cp: 1,
      tp: 0,
      ep: 1,
    });
    for (let rank = 0; rank < 64; rank += 1)
      expect(rankOf(shape, coordinatesOf(shape, rank))).toBe(rank);
  });

  test("knows groups and the nodes they spread over", () => {
    expect(groupOfFirst(shape, ["ep"])).toEqual([0, 1, 2, 3]);
    expect(groupOfFirst(shape, ["cp"])).toEqual([0, 4, 8, 12, 16, 20, 24, 28]);
    expect([nodesOfGroup(shape, ["ep"]), nodesOfGroup(shape, ["cp"])]).toEqual([1, 4]);
  });
});

describe("one device", () => {
  test("sends nothing and holds everything", () => {
    const plan = planned(model("[Block(GLA(heads: 2), swiglu(hidden: 32))] * 2"), {});
    const [stage] = plan.placement.stages;
    expect(stage!.collectives).toEqual([]);
    const elements = plan.placement.parameters.reduce((sum, each) => sum + each.elements, 0);
    const [memory] = plan.memory;
    expect(memory).toMatchObject({
      weights: 4 * elements,
      gradients: 4 * elements,
      optimizer: 8 * elements,
      gathered: 0,
      buffer: 0,
    });
  });
});

describe("over dp_shard and dp_replicate", () => {
  const source = model("[Block(GLA(heads: 2), swiglu(hidden: 32))] * 3");
  const plan = planned(source, { dp_replicate: 2, dp_shard: 4 });

  test("the first axis that comes out even is cut, and the shards make up the whole", () => {
    expect(axesText(plan, "blocks.0.ffn.gate.weight")).toBe("width' 16/dp_shard hidden 32");
    for (const { held, elements, axes } of plan.placement.parameters)
      if (axes[0]!.size % 4 === 0) expect(4 * held).toBe(elements);
    // two heads are too few for four devices
    expect(axesText(plan, "blocks.0.mixer.out.linear.weight")).toBe(
      "heads' 2 value' 8/dp_shard width 16",
    );
    // and where no axis comes out even, two of them have one each
    expect(axesText(plan, "blocks.0.mixer.a.up.offset")).toBe("heads 2 key 4/dp_shard");
  });

  test("a block's weights are gathered twice, its gradients scattered once, and replicas add up at the end", () => {
    const own = plan.placement.parameters.filter(({ block }) => block === "blocks.0");
    const elements = own.reduce((sum, each) => sum + each.elements, 0);
    const [forward] = of(plan, { kind: "all-gather", block: "Block", pass: "forward" });
    expect(forward).toMatchObject({ bytes: 4 * elements, sent: 3 * elements, times: 3, group: 4 });
    expect(of(plan, { kind: "all-gather", block: "Block", pass: "backward" })).toHaveLength(1);
    const [scattered] = of(plan, { kind: "reduce-scatter", block: "Block" });
    expect(scattered).toMatchObject({ axes: ["dp_shard"], bytes: 4 * elements, times: 3 });
    const [replicas] = of(plan, { axes: ["dp_replicate"], block: "Block" });
    const held = own.reduce((sum, each) => sum + each.held, 0);
    expect(replicas).toMatchObject({ kind: "all-reduce", pass: "update", bytes: 4 * held });
  });

  test("bf16 halves what is gathered, not what is summed", () => {
    const low = planned(source, { dp_shard: 4 }, { precision: "bf16" });
    const bytes = (of_: Plan, kind: Collective["kind"]) =>
      of(of_, { kind, block: "Block" })[0]!.bytes;
    expect(bytes(low, "all-gather")).toBe(bytes(plan, "all-gather") / 2);
    expect(bytes(low, "reduce-scatter")).toBe(bytes(plan, "reduce-scatter"));
  });
});

describe("over tp", () => {
  const plan = planned(model("[Block(Attention(heads: 4), swiglu(hidden: 32))]"), { tp: 2 });
  const activation = 8 * 64 * 16 * 4;

  test("heads and the feed-forward layer's inner axis are cut (Shoeybi et al., 2019)", () => {
    expect(axesText(plan, "blocks.0.mixer.q.weight")).toBe(
      "width' 16 kv_heads 4/tp group 1 head 4",
    );
    expect(axesText(plan, "blocks.0.mixer.out.weight")).toBe(
      "kv_heads' 4/tp group' 1 head' 4 width 16",
    );
    expect(axesText(plan, "blocks.0.ffn.up.weight")).toBe("width' 16 hidden 32/tp");
    expect(axesText(plan, "blocks.0.ffn.down.weight")).toBe("hidden' 32/tp width 16");
    expect(axesText(plan, "blocks.0.mixer_norm.weight")).toBe("width 16");
  });

  test("attention and feed-forward each add up one activation forward and one backward", () => {
    for (const pass of ["forward", "backward"] as const)
      expect(of(plan, { axes: ["tp"], pass }).map(({ kind, bytes }) => [kind, bytes])).toEqual([
        ["all-reduce", activation],
        ["all-reduce", activation],
      ]);
  });

  test("a low-rank map into heads is cut along the heads, its rank is whole", () => {
    const gla = planned(model("[Block(GLA(heads: 4, rank: 4), swiglu(hidden: 32))]"), { tp: 2 });
    expect(axesText(gla, "blocks.0.mixer.a.down.weight")).toBe("width' 16 rank 4");
    expect(axesText(gla, "blocks.0.mixer.a.up.weight")).toBe("rank' 4 heads 4/tp key 2");
    expect(axesText(gla, "blocks.0.mixer.out.rmsnorm.weight")).toBe("value 4");
    // every head reads the norm's weight, so its gradient is a sum over the devices
    expect(of(gla, { what: "gradients of whole weights" })[0]).toMatchObject({ bytes: 4 * 4 });
  });

  test("per-head constants are cut with their heads", () => {
    const mamba = planned(model("[Block(Mamba2(heads: 4, value: 8, n: 8), swiglu(hidden: 32))]"), {
      tp: 2,
    });
    const cut = mamba.placement.parameters.filter(({ axes }) => axes[0]!.name === "heads");
    expect(cut.length).toBeGreaterThan(1);
    for (const { axes } of cut) expect(axes[0]!.over).toEqual(["tp"]);
  });

  test("the activations that heads have are halved", () => {
    const whole = planned(model("[Block(Attention(heads: 4), swiglu(hidden: 32))]"), {});
    expect(plan.memory[0]!.activations).toBeLessThan(whole.memory[0]!.activations);
    expect(plan.memory[0]!.activations).toBeGreaterThan(whole.memory[0]!.activations / 2);
  });
});

describe("over ep", () => {
  const block = "Block(GLA(heads: 2), MoE(experts: 8, top_k: 2, hidden: 8))";
  const plan = planned(model(`[${block}]`), { dp_shard: 2, ep: 4 });

  test("experts are dealt out, and each of them sharded further", () => {
    expect(axesText(plan, "blocks.0.ffn.routed.up.weight")).toBe(
      "experts 8/ep/dp_shard width' 16 hidden 8",
    );
    expect(axesText(plan, "blocks.0.ffn.router.weight")).toBe("width' 16/dp_shard/ep experts 8");
    expect(parameter(plan, "blocks.0.ffn.routed.up.weight").held).toBe(1 * 16 * 8);
  });

  test("every pick's row goes to its expert and back, forward and backward", () => {
    const rows = (8 / 8) * 64 * 2 * 16 * 4; // sequences of a device · tokens · picks · width
    const found = of(plan, { kind: "all-to-all" });
    expect(found.map(({ pass, bytes }) => [pass, bytes])).toEqual([
      ["forward", rows],
      ["backward", rows],
      ["forward", rows],
      ["backward", rows],
    ]);
  });

  test("tp adds up what experts give behind their weighted sum", () => {
    const both = planned(model(`[${block}]`), { tp: 2, ep: 4 });
    const forward = of(both, { axes: ["tp"], pass: "forward" }).map(({ bytes }) => bytes);
    expect(forward).toEqual([2 * 64 * 16 * 4, 2 * 64 * 16 * 4]);
  });
});

describe("over cp", () => {
  const heads = 2;
  const [key, value] = [4, 8];
  /** Bytes of the gather of one block's state, for a batch of one sequence, by four devices. */
  const gathered = (mixer: string, work: Partial<Work> = {}) =>
    of(planned(model(`[Block(${mixer}, swiglu(hidden: 8))]`), { cp: 4 }, { batch: 1, ...work }), {
      axes: ["cp"],
      kind: "all-gather",
      pass: "forward",
    })
      .filter(({ what }) => what.startsWith("state "))
      .map(({ bytes }) => bytes / 4 / 4); // elements of each device

  const state = heads * key * value;
  test.each([
    ["no gate", `LinearAttention(heads: ${heads}, key: ${key}, value: ${value})`, state + 1],
    [
      "a decay for each head",
      `RetNet(heads: ${heads}, key: ${key}, value: ${value})`,
      state + heads,
    ],
    [
      "a decay for each key",
      `GLA(heads: ${heads}, key: ${key}, value: ${value})`,
      state + heads * key,
    ],
    [
      "an erase: a matrix for each head",
      `DeltaNet(heads: ${heads}, key: ${key}, value: ${value})`,
      state + heads * key * key,
    ],
    [
      "a gate and an erase",
      `KDA(heads: ${heads}, key: ${key}, value: ${value})`,
      state + heads * key * key,
    ],
  ])("%s", (_, mixer, elements) => {
    expect(gathered(mixer)).toEqual([elements]);
    expect(gathered(mixer, { time: 256 })).toEqual([elements]); // whatever the length
  });

  test("sequences that hold one document need no number that says where one begins", () => {
    expect(gathered("LinearAttention(heads: 2, key: 4, value: 8)", { packed: false })).toEqual([
      state,
    ]);
  });

  test("elementwise, rotated and max-plus states have maps as well", () => {
    expect(gathered("Mamba1(n: 4)")).toHaveLength(1);
    expect(gathered("S5(pairs: 4)").length).toBeGreaterThan(0);
    expect(gathered("MLSTM(heads: 2)")).toHaveLength(3);
  });

  test("every memory of a mix is a sequence of its own", () => {
    const one = gathered("MoM(heads: 2, memories: 4, top_k: 2)");
    const two = gathered("MoM(heads: 2, memories: 8, top_k: 2)");
    expect(Math.max(...two)).toBe(2 * Math.max(...one));
  });

  test("softmax gathers keys and values, which grow with the length, and scatters their gradients (LASP-2H)", () => {
    const bytes = (time: number, rest: Partial<WrittenPlan> = {}, mixer = "Attention(heads: 2)") =>
      of(
        planned(model(`[Block(${mixer}, swiglu(hidden: 8))]`), { cp: 4 }, { batch: 1, time }, rest),
        {
          axes: ["cp"],
          pass: "forward",
        },
      )
        .filter(({ what }) => what.startsWith("keys and values"))
        .map((each) => [each.kind, each.bytes]);
    expect(bytes(64)).toEqual([["all-gather", 2 * 64 * 16 * 4]]);
    expect(bytes(128)).toEqual([["all-gather", 2 * 128 * 16 * 4]]);
    expect(bytes(64, { sequence: "ring" })).toEqual([["send-recv", 3 * 2 * 16 * 16 * 4]]);
    // of a window, the tokens before the shard
    expect(bytes(64, {}, "Attention(heads: 2, window: 8)")).toEqual([
      ["send-recv", 7 * 2 * 16 * 4],
    ]);
  });

  test("a convolution takes the tokens before its shard", () => {
    const plan = planned(model("[Block(GatedDeltaNet(heads: 2, key: 4, value: 8), swiglu())]"), {
      cp: 4,
    });
    const contexts = of(plan, { what: "context of convolutions", pass: "forward" });
    expect(contexts.map(({ bytes }) => bytes / (8 * 3 * 4)).sort()).toEqual([16, 8, 8].sort());
  });

  test("with recompute the forward pass sends once more", () => {
    const source = model("[Block(GLA(heads: 2), swiglu(hidden: 8))]");
    expect(of(planned(source, { cp: 4 }), { pass: "again" })).toEqual([]);
    const again = planned(source, { cp: 4 }, {}, { recompute: "blocks" });
    expect(of(again, { pass: "again" }).map(({ what }) => what)).toEqual(["state mixer.S"]);
  });
});

describe("over pp", () => {
  const block = "Block(GLA(heads: 2), swiglu(hidden: 8))";
  const plan = planned(model(`[${block}] * 5`), { pp: 2 }, { parts: 4 });

  test("the stack is cut into runs, with the embedding before and the head behind", () => {
    expect(plan.placement.stages.map(({ blocks }) => blocks.length)).toEqual([3, 2]);
    expect(parameter(plan, "table").stages).toEqual([0]);
    expect(parameter(plan, "logits.weight").stages).toEqual([1]);
    expect(parameter(plan, "blocks.2.mixer.q.weight").stages).toEqual([0]);
    expect(parameter(plan, "blocks.3.mixer.q.weight").stages).toEqual([1]);
  });

  test("one activation goes forward and one gradient back for each part", () => {
    const bytes = 8 * 64 * 16 * 4;
    const sent = (stage: number) =>
      of(plan, { stage, kind: "send-recv" }).map(({ pass, bytes: own, times }) => [
        pass,
        own,
        times,
      ]);
    expect(sent(0)).toEqual([["forward", bytes, 4]]);
    expect(sent(1)).toEqual([["backward", bytes, 4]]);
  });

  test("earlier stages keep more parts in flight, and all of them with gpipe", () => {
    const kept = (schedule: WrittenPlan["pipeline"], parts = 8) =>
      planned(
        model(`[${block}] * 8`),
        { pp: 4 },
        { parts },
        { pipeline: schedule },
      ).placement.stages.map(({ inFlight }) => inFlight);
    expect(kept("1f1b")).toEqual([4, 3, 2, 1]);
    expect(kept("1f1b", 2)).toEqual([2, 2, 2, 1]);
    expect(kept("gpipe")).toEqual([8, 8, 8, 8]);
    expect(kept("interleaved_1f1b")).toEqual([5.5, 4.5, 3.5, 2.5]);
    expect(plan.placement.bubble).toBe(1 / 5);
  });

  test("tied weights lie at both ends, which add up their gradients", () => {
    const tied = planned(model(`[${block}] * 4`, ", tied: true"), { pp: 4 });
    const shared = tied.placement.parameters.filter(({ stages }) => stages.length > 1);
    expect(shared.map(({ path, stages }) => [path, stages])).toEqual([["table", [0, 3]]]);
    const sums = (stage: number) => of(tied, { stage, axes: ["pp"], kind: "all-reduce" });
    expect(sums(0)).toMatchObject([{ group: 2, bytes: 4 * 32 * 16, pass: "update" }]);
    expect(sums(3)).toEqual(sums(0));
    expect(sums(1)).toEqual([]);
  });
});

describe("memory", () => {
  const block = "Block(GLA(heads: 2), swiglu(hidden: 32))";

  test("with recompute only the inputs of blocks are kept", () => {
    const stack = (count: number) =>
      planned(model(`[${block}] * ${count}`), {}, {}, { recompute: "blocks" }).memory[0]!;
    const activation = 8 * 64 * 16 * 4;
    expect(stack(6).activations - stack(2).activations).toBe(4 * activation);
    const [kept] = planned(model(`[${block}] * 6`), {}).memory;
    expect(kept!.activations).toBeGreaterThan(3 * stack(6).activations);
    expect(stack(6).working).toBeGreaterThan(kept!.working);
  });

  test("is that of the scheduled program where nothing is shared out", () => {
    const source = model(`[${block}] * 2`);
    const { models } = check(memoryHost({ "m.lsm": source }), "m.lsm");
    const lowered = lower(models.get("M")!.module, { batch: 8, time: 64 });
    const { module } = chooseForms(lowered, { prefer: "recurrent", chunk: null });
    const program = schedule(differentiate(module));
    const whole = programMemory(program).get("main")!.peak;
    const [memory] = planned(source, {}).memory;
    const { activations, working } = memory!;
    // kernels keep their inputs; a scan in plain ops keeps the state of every token beside them
    const states = 2 * 8 * 64 * (2 * 4 * 8) * 4;
    expect(activations + working).toBeLessThan(whole);
    expect(activations + working).toBeGreaterThan(whole - 4 * states);
  });

  test("logits are there a chunk at a time, as the torch trainer's loss computes them", () => {
    const text = readFileSync("runtime/torch/lsm_torch/nn/loss.py", "utf8");
    expect(text).toContain(`"cuda": ${lossChunkElements / 2 ** 27} * 2**27`);
    const source = model(`[${block}]`).replace("vocab: 32", "vocab: 100000");
    const [short, long] = [256, 1024].map(
      (time) => planned(source, {}, { time, precision: "bf16" }).memory[0]!.working,
    );
    expect(8 * 256 * 1e5).toBeLessThan(lossChunkElements);
    expect(8 * 1024 * 1e5).toBeGreaterThan(lossChunkElements);
    expect(short!).toBeGreaterThan(2 * 8 * 256 * 1e5);
    expect(short!).toBeLessThan(1.1 * 2 * 8 * 256 * 1e5);
    expect(long!).toBeGreaterThan(2 * lossChunkElements);
    expect(long!).toBeLessThan(1.1 * 2 * lossChunkElements);
  });

  test("a call's results are counted once", () => {
    const source = model("[]").replace("[]", "[Block(GLA(heads: 2), swiglu(hidden: 8))]");
    const { models } = check(memoryHost({ "m.lsm": source }), "m.lsm");
    const { module } = chooseForms(lower(models.get("M")!.module, { batch: 1, time: 16 }), {
      prefer: "chunk",
      chunk: null,
    });
    const program = schedule(module);
    const main = program.functions.get("main")!;
    const made = main.steps.filter(({ kind }) => kind === "alloc").length;
    expect(programMemory(program).get("main")!.buffers).toBe(made);
  });
});

test("the pods of examples/linear-moe fit, and shares of a layout add up", () => {
  for (const name of ["a03b-2b", "a1b-7b"]) {
    const path = `examples/linear-moe/${name}.lsm`;
    const { models, meshes, trainings } = check(
      memoryHost({ [path]: readFileSync(path, "utf8") }),
      path,
    );
    const mesh = meshes.get("pod")!;
    const training = trainings.get("pretrain")!;
    const work: Work = {
      batch: training.batch,
      parts: 1,
      time: 2048,
      packed: true,
      precision: "bf16",
    };
    const result = planOf(models.get(training.model)!, mesh, mesh.plan as WrittenPlan, work);
    if (result.kind !== "planned") throw new Error("uncut");
    const { memory, capacity, placement } = result.plan;
    const [own] = memory;
    expect(own!.weights + own!.gradients + own!.optimizer).toBeLessThan(capacity!);
    for (const { axes, held, elements, path: parameterPath } of placement.parameters) {
      const shares = axes.reduce((all, axis) => all * axis.shares, 1);
      expect(held * shares, parameterPath).toBeGreaterThanOrEqual(elements);
    }
  }
});
