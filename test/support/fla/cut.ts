/** A step of the language with operands given from outside: the block's graph, cut where they are made. */

import { lower } from "../../../compiler/2-lower/lower.js";
import { chooseForms } from "../../../compiler/3-derive/forms/forms.js";
import { backpropagate } from "../../../compiler/ir/backpropagate.js";
import { GraphBuilder } from "../../../compiler/ir/builder.js";
import { copyInto, copyNode } from "../../../compiler/ir/copy.js";
import type { Graph, ValueId } from "../../../compiler/ir/graph.js";
import { interpret } from "../../../runtime/interpret/interpret.js";
import { type Tensor, tensor } from "../../../runtime/interpret/tensor.js";
import type { RandomStream } from "../../../runtime/random/stream.js";
import { modelOf } from "../models/instance.js";
import type { Operand, Operator } from "./operators.js";

const sizes = "heads = 2, key = 4, value = 3, memory = 5, pair = 4";

function program({ operands, body }: Operator): string {
  // doubled, so that the value of the name is not the result of `linear`, which has a name already
  const lines = Object.entries(operands).map(
    ([name, [axes]]) => `${name} = 2 * linear(x, [${axes}])`,
  );
  return `layer Own(x: [width], ${sizes}) {
${[...lines, ...body.split("\n"), "linear(o, [width])"].map((line) => `  ${line}`).join("\n")}
}
model M { language_model(vocab: 3, width: 4, blocks: [Own()]) }`;
}

export interface Found {
  readonly shapes: Record<string, number[]>;
  readonly operands: Record<string, number[]>;
  readonly cotangent: number[];
  readonly o: number[];
  readonly gradients: Record<string, number[]>;
  readonly forms: readonly string[];
}

/** Values and gradients of an operator in the forms the compiler chooses, on random operands. */
export function run(operator: Operator, batch: number, time: number, random: RandomStream): Found {
  const module = lower(modelOf(program(operator)).module, { batch, time });
  const names = Object.keys(operator.operands);
  const block = [...module.functions.values()].find((graph) => named(graph, "o") !== undefined)!;
  const { module: formed, reports } = chooseForms(
    { main: "cut", functions: new Map([["cut", cut(block, names)]]) },
    { prefer: "chunk", chunk: null, packed: false },
  );
  const graph = withGradients(formed.functions.get("cut")!, names);
  const inputs = new Map(
    graph.inputs.map(({ name, value }) => [
      name,
      fill(tensor(graph.values[value]!.type.axes), name, operator.operands[name], random),
    ]),
  );
  const { outputs } = interpret(
    { main: "cut", functions: new Map([["cut", graph]]) },
    "cut",
    inputs,
    new Map(),
  );
  const numbers = (x: Tensor | undefined): number[] => [...x!.data];
  return {
    shapes: Object.fromEntries(
      [...inputs].map(([name, { axes }]) => [name, axes.map(({ size }) => size)]),
    ),
    operands: Object.fromEntries(names.map((name) => [name, numbers(inputs.get(name))])),
    cotangent: numbers(inputs.get("do")),
    o: numbers(outputs.get("o")),
    gradients: Object.fromEntries(names.map((name) => [name, numbers(outputs.get(`d${name}`))])),
    forms: reports.map(({ state, family, form }) => `${state} ${family} ${form}`),
  };
}

const named = (graph: Graph, name: string): ValueId | undefined => {
  const at = graph.values.findIndex((value) => value.name === name);
  return at < 0 ? undefined : at;
};

/** The part of a graph between values of these names and `o`. */
function cut(graph: Graph, names: readonly string[]): Graph {
  const builder = new GraphBuilder("cut");
  const known = new Map<ValueId, ValueId>();
  for (const name of names) {
    const id = named(graph, name);
    if (id === undefined) throw new Error(`no value \`${name}\``);
    known.set(id, builder.input(name, graph.values[id]!.type));
  }
  const positions = graph.inputs.find(({ name }) => name === "positions")!;
  known.set(positions.value, builder.input("positions", graph.values[positions.value]!.type));
  const o = named(graph, "o")!;
  const needed = new Set([o]);
  const nodes = [...graph.nodes].reverse().filter((node) => {
    if (node.outputs.every((id) => known.has(id) || !needed.has(id))) return false;
    node.inputs.forEach((id) => needed.add(id));
    return true;
  });
  for (const node of nodes.reverse()) copyNode(builder, graph, node, known);
  builder.outputs.push({ name: "o", value: known.get(o)! });
  return builder.finish();
}

function withGradients(graph: Graph, names: readonly string[]): Graph {
  const builder = new GraphBuilder("cut");
  const known = new Map<ValueId, ValueId>();
  for (const { name, value } of graph.inputs)
    known.set(value, builder.input(name, graph.values[value]!.type));
  copyInto(builder, graph, known);
  const o = known.get(graph.outputs[0]!.value)!;
  const cotangents = new Map([[o, builder.input("do", builder.type(o))]]);
  backpropagate(builder, [...builder.nodes], cotangents);
  builder.outputs.push({ name: "o", value: o });
  for (const { name, value } of graph.inputs.filter((port) => names.includes(port.name))) {
    const { axes } = graph.values[value]!.type;
    const d = builder.conform(cotangents.get(known.get(value)!)!, axes);
    builder.outputs.push({ name: `d${name}`, value: d });
  }
  return builder.finish();
}

function fill(x: Tensor, name: string, operand: Operand | undefined, random: RandomStream): Tensor {
  const { data, axes } = x;
  if (name === "positions") {
    const time = axes.at(-1)!.size;
    return tensor(
      axes,
      data.map((_, i) => i % time),
    ); // one document a row
  }
  const kind = operand?.[1];
  for (let i = 0; i < data.length; i += 1) {
    const value = random.normal();
    data[i] = kind === "log-gate" ? -Math.abs(value) : kind === "rate" ? random.uniform() : value;
  }
  const last = axes.at(-1)!.size;
  if (kind === "unit")
    for (let i = 0; i < data.length; i += last) {
      const row = data.subarray(i, i + last);
      const length = Math.hypot(...row);
      row.forEach((value, j) => (row[j] = value / length));
    }
  return x;
}
