/** The loads of routes: what a step measures, against plain counting, and what a run writes of it. */

import { describe, expect, it, test } from "vitest";
import { withoutMetrics } from "../compiler/3-derive/without-metrics.js";
import { prune } from "../compiler/3-derive/prune.js";
import { chooseForms } from "../compiler/3-derive/forms/forms.js";
import { lower } from "../compiler/2-lower/lower.js";
import type { Graph } from "../compiler/ir/graph.js";
import { verify } from "../compiler/ir/verify.js";
import { interpret } from "../runtime/interpret/interpret.js";
import { RandomStream } from "../runtime/random/stream.js";
import { entropy, loadsOf, maxLoad, routerFigures, showsLoads } from "../runtime/run/loads.js";
import { modelOf, randomBatch, randomParameters } from "./support/models/instance.js";

const sizes = { batch: 2, time: 9 };
const routed = modelOf(`model M {
  x = embedding(tokens(11), [width: 4], 11)
  r = top_k(softmax(linear(x, [experts: 5]), experts), 2)
  y = mix e in r { linear(x, [width: 4]) }
  logits = linear(x + y, [vocab: 11])
  predict(logits, cross_entropy(logits, targets()))
}`);

describe("the load of a route", () => {
  it("is the share of all picks that went to each expert", () => {
    const lowered = lower(routed.module, { ...sizes, metrics: true });
    const main = lowered.functions.get("main")!;
    const node = main.nodes.find(({ op }) => op === "top_k")!;
    const watched: Graph = {
      ...main,
      outputs: [...main.outputs, { name: "choices", value: node.outputs[0]! }],
    };
    const module = { main: "main", functions: new Map([["main", watched]]) };
    const random = new RandomStream(5, "loads");
    const { inputs } = randomBatch(11, sizes.batch, sizes.time, random);
    const result = interpret(module, "main", inputs, randomParameters(routed, random));
    const counts = [0, 0, 0, 0, 0];
    const choices = result.outputs.get("choices")!.data;
    for (const choice of choices) counts[choice]! += 1;
    const [load] = [...result.metrics.values()];
    expect([...load!.data]).toEqual(
      counts.map((count) => expect.closeTo(count / choices.length, 12)),
    );
  });
});

test("who asks for no metrics gets a module without them", () => {
  const model = modelOf(
    "model M {\n  language_model(vocab: 11, width: 4, blocks: [Block(GLA(heads: 2), MoE(experts: 3, top_k: 2, hidden: 5))])\n}",
  );
  const names = (graph: Graph): string[] => graph.metrics.map(({ name }) => name);
  const withThem = lower(model.module, { ...sizes, metrics: true });
  expect(names(withThem.functions.get("main")!)).toEqual(["blocks.0.ffn.r.load"]);
  const { module } = chooseForms(withThem, { prefer: "chunk", chunk: null, packed: true });
  const without = withoutMetrics(module);
  expect([...without.functions.values()].flatMap(names)).toEqual([]);
  expect(verify(without, "formed")).toEqual([]);
  const plain = chooseForms(lower(model.module, sizes), {
    prefer: "chunk",
    chunk: null,
    packed: true,
  });
  const count = (graphs: ReadonlyMap<string, Graph>): number[] =>
    [...graphs.values()].map((graph) => prune(graph).nodes.length);
  expect(count(without.functions)).toEqual(count(plain.module.functions));
});

describe("what a run writes of loads", () => {
  it("has the route that is least even", () => {
    expect(maxLoad([0.25, 0.25, 0.25, 0.25])).toBe(1);
    expect(maxLoad([1, 0, 0, 0])).toBe(4);
    expect(entropy([0.25, 0.25, 0.25, 0.25])).toBeCloseTo(1, 12);
    expect(entropy([1, 0])).toBe(0);
    expect(entropy([0.5, 0.5, 0, 0])).toBeCloseTo(0.5, 12);
    expect(entropy([1])).toBe(1);
    const loads = { a: [0.5, 0.5], b: [0.75, 0.25] };
    expect(routerFigures(loads, false)).toEqual({ router_max_load: 1.5, router_entropy: 0.8113 });
    expect(routerFigures(loads, true).loads).toEqual(loads);
    expect(routerFigures({}, true)).toEqual({});
  });

  it("names routes by their paths", () => {
    const metrics = {
      "blocks.0.ffn.r.load": [1],
      "blocks.0.ffn.load_2": [1],
      load: [1],
      other: [1],
    };
    expect(Object.keys(loadsOf(metrics))).toEqual(["blocks.0.ffn.r", "blocks.0.ffn_2", "route"]);
  });

  it("has all loads at about two hundred steps, with the first and the last", () => {
    const shown = (steps: number): number =>
      Array.from({ length: steps }, (_, i) => i + 1).filter((step) => showsLoads(step, steps))
        .length;
    expect(shown(30)).toBe(30);
    expect(shown(100_000)).toBe(201);
    expect(showsLoads(100_001, 100_001)).toBe(true);
  });
});
