/** The verifiers find what they are for; that compiled programs have nothing to find is held by every other test. */

import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../compiler/ir/builder.js";
import type { Graph } from "../compiler/ir/graph.js";
import type { Program, ProgramFunction, Step } from "../compiler/ir/program.js";
import type { TensorType } from "../compiler/ir/types.js";
import { type Level, verify } from "../compiler/ir/verify.js";
import { verifyProgram } from "../compiler/ir/verify-program.js";

const vector: TensorType = { dtype: "float", axes: [{ name: "width", size: 3 }] };

function problems(change: (graph: Graph) => Graph, level: Level = "lowered"): readonly string[] {
  const builder = new GraphBuilder("main");
  const x = builder.input("x", vector);
  builder.outputs.push({ name: "y", value: builder.sum(builder.exp(x), ["width"]) });
  return verify({ main: "main", functions: new Map([["main", change(builder.finish())]]) }, level);
}

describe("a graph", () => {
  test("that is sound has no problems", () => {
    expect(problems((graph) => graph)).toEqual([]);
  });

  test("defines values before it uses them, once", () => {
    expect(problems((graph) => ({ ...graph, nodes: graph.nodes.toReversed() }))).toContain(
      "main: reduce reads %1, which is not defined before",
    );
    expect(problems((graph) => ({ ...graph, nodes: [graph.nodes[0]!, ...graph.nodes] }))).toContain(
      "main: %1 is defined twice",
    );
  });

  test("has the types its ops give", () => {
    const values = (graph: Graph) => graph.values.map((value) => ({ ...value, type: vector }));
    expect(problems((graph) => ({ ...graph, values: values(graph) }))).toContain(
      "main: reduce gives ([]), but is declared as ([width 3])",
    );
    const without = (graph: Graph) => ({
      ...graph,
      values: graph.values.map((value) => ({ ...value, type: { ...vector, axes: [] } })),
    });
    expect(problems(without)).toContain("main: reduce: no axis width in []");
  });

  test("has ops of its level only", () => {
    const builder = new GraphBuilder("main");
    const y = builder.op("lag", { by: 1 }, [builder.input("x", vector)]);
    builder.outputs.push({ name: "y", value: y });
    const module = { main: "main", functions: new Map([["main", builder.finish()]]) };
    expect(verify(module, "token")).toEqual([]);
    expect(verify(module, "lowered")).toEqual(["main: lag in a lowered graph"]);
  });

  test("has its results, and calls what is there with what it takes", () => {
    expect(problems((graph) => ({ ...graph, outputs: [{ name: "z", value: 7 }] }))).toContain(
      "main: the result z reads %7, which is not defined before",
    );
    const builder = new GraphBuilder("main");
    builder.node("call", { callee: "f", prefix: "f" }, [], [vector]);
    const callee = new GraphBuilder("f");
    callee.outputs.push({ name: "y", value: callee.input("x", vector) });
    const main = builder.finish();
    expect(verify({ main: "main", functions: new Map([["main", main]]) }, "lowered")).toEqual([
      "main: there is no function f",
    ]);
    const functions = new Map([
      ["f", callee.finish()],
      ["main", main],
    ]);
    expect(verify({ main: "main", functions }, "lowered")).toEqual([
      "main: f takes ([width 3]) and is given ()",
    ]);
  });
});

describe("a program", () => {
  const buffers = [0, 1, 2].map(() => ({ type: vector, name: null }));
  const alloc = (buffer: number): Step => ({ kind: "alloc", buffer });
  const free = (buffer: number): Step => ({ kind: "free", buffer });
  const copy = (from: number, to: number): Step => ({
    kind: "run",
    kernel: { op: "map", code: [], loop: vector, reduce: null },
    inputs: [{ buffer: from, type: vector }],
    outputs: [{ buffer: to, type: vector }],
  });
  const found = (steps: readonly Step[]): readonly string[] => {
    const main: ProgramFunction = {
      name: "main",
      buffers,
      steps,
      inputs: [{ name: "x", buffer: 0 }],
      parameters: [],
      outputs: [{ name: "y", buffer: 2 }],
      penalties: [],
      updates: [],
      metrics: [],
    };
    const program: Program = { main: "main", functions: new Map([["main", main]]) };
    return verifyProgram(program);
  };

  test.each([
    ["is sound", [alloc(1), copy(0, 1), alloc(2), copy(1, 2), free(1)], []],
    ["leaks", [alloc(1), copy(0, 1), alloc(2), copy(1, 2)], ["main: #1 is never freed"]],
    [
      "frees twice",
      [alloc(1), copy(0, 1), alloc(2), copy(1, 2), free(1), free(1)],
      ["main: #1 is freed, but is freed"],
    ],
    [
      "reads what is freed",
      [alloc(1), copy(0, 1), alloc(2), free(1), copy(1, 2)],
      ["main: map reads #1, which is freed"],
    ],
    [
      "reads what is not written",
      [alloc(1), alloc(2), copy(1, 2), free(1)],
      ["main: map reads #1, which is allocated", "main: #1 is freed, but is allocated"],
    ],
    [
      "frees the caller's",
      [alloc(2), copy(0, 2), free(0)],
      ["main: #0 is freed, but is the caller's"],
    ],
    [
      "writes the caller's",
      [alloc(2), copy(0, 2), copy(2, 0)],
      ["main: map writes #0, which is the caller's"],
    ],
    ["gives no result", [], ["main: the caller reads #2, which is not allocated"]],
  ] as const)("that %s", (_, steps, expected) => {
    expect(found(steps)).toEqual(expected);
  });
});
