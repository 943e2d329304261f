/**
 * `grad` of random inner losses: derivatives of random graphs, in float64, against differences; and losses
 * that are affine in a memory against the delta rules written by hand.
 */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../compiler/ir/builder.js";
import { derivative, pathNodes } from "../../compiler/ir/derivative.js";
import type { Graph, ValueId } from "../../compiler/ir/graph.js";
import type { Axis } from "../../compiler/ir/types.js";
import { interpret } from "../../runtime/interpret/interpret.js";
import { type Tensor, tensor } from "../../runtime/interpret/tensor.js";
import { RandomStream } from "../../runtime/random/stream.js";

const key: Axis = { name: "key", size: 3 };
const value: Axis = { name: "value", size: 2 };
const runs = Number(process.env["FUZZ"] ?? 200);
const settings = { numRuns: runs, seed: Number(process.env["SEED"] ?? 1) };

const step = fc.record({
  op: fc.constantFrom(
    "tanh",
    "sigmoid",
    "square",
    "softplus",
    "add",
    "mul",
    "sub",
    "div",
    "dot",
    "sum",
    "select",
    "expand",
  ),
  a: fc.nat(),
  b: fc.nat(),
  over: fc.constantFrom("key", "value"),
});

/** A loss made of S [key, value], k [key] and v [value] by random steps; it is the sum of their last result. */
function lossOf(
  builder: GraphBuilder,
  steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[],
) {
  const input = (name: string, axes: readonly Axis[]): ValueId =>
    builder.input(name, { dtype: "float", axes });
  const S = input("S", [key, value]);
  const made = [S, input("k", [key]), input("v", [value]), S];
  for (const { op, a, b, over } of steps) {
    const [x, y] = [
      made[made.length - 1 - (a % Math.min(3, made.length))]!,
      made[b % made.length]!,
    ];
    const has = builder.type(x).axes.some(({ name }) => name === over);
    if (op === "dot") made.push(builder.dot(x, y, [over]));
    else if (op === "sum") made.push(has ? builder.sum(x, [over]) : x);
    else if (op === "add" || op === "mul" || op === "sub") made.push(builder.map(op, x, y));
    else if (op === "div")
      made.push(builder.div(x, builder.add(builder.map("square", y), builder.constant(1))));
    else if (op === "select")
      made.push(builder.map("select", builder.map("gt", y, builder.constant(0.1)), x, y));
    else if (op === "expand") made.push(builder.conform(x, [key, value]));
    else made.push(builder.map(op, x));
  }
  const last = made.at(-1)!;
  const rest = builder.type(last).axes.map(({ name }) => name);
  // squashed, so that products of products stay in range, and seen through S so that there is a gradient
  const loss = builder.sum(builder.map("tanh", last), rest);
  return {
    S,
    loss: builder.add(
      loss,
      builder.mul(builder.constant(0.5), builder.sum(builder.map("square", S), ["key", "value"])),
    ),
  };
}

function run(graph: Graph, inputs: Map<string, Tensor>) {
  return interpret({ main: "g", functions: new Map([["g", graph]]) }, "g", inputs, new Map())
    .outputs;
}

describe("the derivative of a token's loss", () => {
  test("is what differences show, for any graph", () => {
    const one = fc.property(
      fc.array(step, { minLength: 1, maxLength: 8 }),
      fc.nat(),
      (steps, seed) => {
        const builder = new GraphBuilder("g");
        const { S, loss } = lossOf(builder, steps);
        const before = builder.nodes.length;
        const found = derivative(builder, pathNodes(builder.nodes, loss, S).nodes, loss, S);
        if (typeof found !== "number") throw new Error("no derivative");
        expect(
          builder
            .type(found)
            .axes.map(({ name }) => name)
            .sort(),
        ).toEqual(["key", "value"]);
        // nothing is added that the result does not need
        const needed = new Set([found]);
        for (const node of [...builder.nodes].reverse())
          if (node.outputs.some((id) => needed.has(id)))
            node.inputs.forEach((id) => needed.add(id));
        for (const node of builder.nodes.slice(before))
          expect(node.outputs.some((id) => needed.has(id))).toBe(true);
        builder.outputs.push({ name: "loss", value: loss });
        builder.outputs.push({ name: "grad", value: builder.conform(found, [key, value]) });
        const random = new RandomStream(seed, "derivative");
        const draw = (axes: readonly Axis[]): Tensor => {
          const x = tensor(axes);
          for (let i = 0; i < x.data.length; i += 1) x.data[i] = random.normal();
          return x;
        };
        const inputs = new Map([
          ["S", draw([key, value])],
          ["k", draw([key])],
          ["v", draw([value])],
        ]);
        const graph = builder.finish();
        const gradient = run(graph, inputs).get("grad")!.data;
        const { data } = inputs.get("S")!;
        const h = 1e-5;
        for (let i = 0; i < data.length; i += 1) {
          const own = data[i]!;
          data[i] = own + h;
          const above = run(graph, inputs).get("loss")!.data[0]!;
          data[i] = own - h;
          const below = run(graph, inputs).get("loss")!.data[0]!;
          data[i] = own;
          const difference = (above - below) / (2 * h);
          expect(Math.abs(difference - gradient[i]!)).toBeLessThan(
            1e-6 + 1e-5 * Math.abs(difference),
          );
        }
      },
    );
    fc.assert(one, settings);
  });
});
