/**
 * The float64 interpreter: the definition of every graph.
 *
 * It runs a function of a module node by node with plain loops; recurrences run token by token as
 * written. Every derived form and every target is held to its results.
 */

import type { Graph, Module, Node, NodeOf } from "../../compiler/ir/graph.js";
import { InternalFault, findAxis, sameAxes, showAxes } from "../../compiler/ir/types.js";
import { type Kernel, type KernelOp, kernels } from "./ops.js";
import { runScan } from "./scan.js";
import type { Tensor } from "./tensor.js";

export type Tensors = ReadonlyMap<string, Tensor>;

export interface Results {
  readonly outputs: Map<string, Tensor>;
  readonly penalties: Map<string, Tensor>;
  readonly updates: Map<string, Tensor>;
  readonly metrics: Map<string, Tensor>;
}

/** Runs a function on inputs by name and parameters by path under `prefix`. */
export function interpret(
  module: Module,
  name: string,
  inputs: Tensors,
  parameters: Tensors,
  prefix = "",
): Results {
  const graph = module.functions.get(name)!;
  const values: (Tensor | undefined)[] = [];
  for (const port of graph.inputs)
    values[port.value] = given(graph, inputs.get(port.name), port.value, port.name);
  for (const { path, value } of graph.parameters)
    values[value] = given(graph, parameters.get(prefix + path), value, prefix + path);
  run(graph, values, (node, args) => callFunction(module, graph, node, args, parameters, prefix));
  const collect = (ports: readonly { readonly value: number }[], names: readonly string[]) =>
    new Map(ports.map(({ value }, i) => [names[i]!, values[value]!]));
  return {
    outputs: collect(
      graph.outputs,
      graph.outputs.map((port) => port.name),
    ),
    penalties: collect(
      graph.penalties,
      graph.penalties.map((port) => port.name),
    ),
    updates: collect(
      graph.updates,
      graph.updates.map((port) => port.path),
    ),
    metrics: collect(
      graph.metrics,
      graph.metrics.map((port) => port.name),
    ),
  };
}

function given(graph: Graph, value: Tensor | undefined, id: number, name: string): Tensor {
  const { axes } = graph.values[id]!.type;
  if (!value) throw new InternalFault(`${graph.name} is given no ${name}`);
  if (!sameAxes(value.axes, axes))
    throw new InternalFault(
      `${graph.name}: ${name} is ${showAxes(value.axes)}, not ${showAxes(axes)}`,
    );
  return value;
}

type CallFunction = (node: NodeOf<"call">, args: readonly Tensor[]) => readonly Tensor[];

function callFunction(
  module: Module,
  graph: Graph,
  node: NodeOf<"call">,
  args: readonly Tensor[],
  parameters: Tensors,
  prefix: string,
): readonly Tensor[] {
  const callee = module.functions.get(node.attributes.callee)!;
  const inputs = new Map(callee.inputs.map(({ name }, i) => [name, args[i]!]));
  const inner = `${prefix}${node.attributes.prefix}.`;
  const { outputs, penalties, updates, metrics } = interpret(
    module,
    node.attributes.callee,
    inputs,
    parameters,
    inner,
  );
  return [outputs, penalties, updates, metrics].flatMap((results) => [...results.values()]);
}

/** Runs the nodes of a graph whose inputs are in `values`. */
function run(graph: Graph, values: (Tensor | undefined)[], call: CallFunction): void {
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((id) => values[id]!);
    const types = node.outputs.map((id) => graph.values[id]!.type);
    const results =
      node.op === "scan"
        ? scan(node, inputs)
        : node.op === "call"
          ? call(node, inputs)
          : kernel(node)(node.attributes as never, inputs, types);
    results.forEach((result, i) => {
      values[node.outputs[i]!] = result;
    });
  }
}

function kernel(node: Node): Kernel<KernelOp> {
  const found = (kernels as Record<string, unknown>)[node.op];
  if (!found)
    throw new InternalFault(`the interpreter meets ${node.op}, which lowering should have removed`);
  return found as Kernel<KernelOp>;
}

function scan(node: NodeOf<"scan">, inputs: readonly Tensor[]): readonly Tensor[] {
  const { axis, body, states, sequences } = node.attributes;
  const steps = inputs.slice(states, inputs.length).slice(0, sequences + 1);
  const found = steps
    .map(({ axes }) => findAxis({ dtype: "float", axes }, axis))
    .find((one) => one !== undefined)!;
  const results = body.outputs.map(({ value }) => body.values[value]!.type.axes);
  return runScan(node.attributes, inputs, found, results, (args) => {
    const values: (Tensor | undefined)[] = [];
    body.inputs.forEach(({ value }, i) => (values[value] = args[i]));
    run(body, values, () => {
      throw new InternalFault("a call inside a recurrence");
    });
    return body.outputs.map(({ value }) => values[value]!);
  });
}
