/**
 * The float64 interpreter: the definition of every graph.
 *
 * It runs a function of a module node by node with plain loops; recurrences run token by token as
 * written. Every derived form and every target is held to its results.
 */

import type { Graph, Module, Node, NodeOf } from "../../compiler/ir/graph.js";
import { type Axis, InternalFault, findAxis, sameAxes, showAxes } from "../../compiler/ir/types.js";
import { type Kernel, type KernelOp, kernels } from "./ops.js";
import { type Tensor, sliceAt, tensor, visit, writeAt } from "./tensor.js";

export type Tensors = ReadonlyMap<string, Tensor>;

export interface Results {
  readonly outputs: Map<string, Tensor>;
  readonly penalties: Map<string, Tensor>;
  readonly updates: Map<string, Tensor>;
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
  const { outputs, penalties, updates } = interpret(
    module,
    node.attributes.callee,
    inputs,
    parameters,
    inner,
  );
  return [...outputs.values(), ...penalties.values(), ...updates.values()];
}

/** Runs the nodes of a graph whose inputs are in `values`. */
function run(graph: Graph, values: (Tensor | undefined)[], call: CallFunction): void {
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((id) => values[id]!);
    const types = node.outputs.map((id) => graph.values[id]!.type);
    const results =
      node.op === "scan"
        ? scan(
            node,
            inputs,
            types.map((type) => type.axes),
          )
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

/** A recurrence, step by step. Befores are the states a step starts from, after a reset. */
function scan(
  node: NodeOf<"scan">,
  inputs: readonly Tensor[],
  axes: readonly (readonly Axis[])[],
): readonly Tensor[] {
  const { axis, body, states, sequences, resets, restart, reverse } = node.attributes;
  const flags = resets ? inputs[states]! : null;
  const first = states + (resets ? 1 : 0);
  const steps = inputs.slice(first, first + sequences);
  const statics = inputs.slice(first + sequences);
  let current = inputs.slice(0, states);
  const results = axes.map((own) => tensor(own));
  const outputs = body.outputs.length - states;
  const length = findAxis({ dtype: "float", axes: axes.at(-1)! }, axis)!.size;
  for (let i = 0; i < length; i += 1) {
    const t = reverse ? length - 1 - i : i;
    if (flags)
      current = current.map((state, s) => reset(state, sliceAt(flags, axis, t), restart[s]!));
    current.forEach((state, s) => writeAt(results[outputs + states + s]!, axis, t, state));
    const values: (Tensor | undefined)[] = [];
    const args = [...current, ...steps.map((x) => sliceAt(x, axis, t)), ...statics];
    body.inputs.forEach(({ value }, k) => (values[value] = args[k]));
    run(body, values, () => {
      throw new InternalFault("a call inside a recurrence");
    });
    current = body.outputs.slice(0, states).map(({ value }) => values[value]!);
    body.outputs
      .slice(states)
      .forEach(({ value }, k) => writeAt(results[k]!, axis, t, values[value]!));
  }
  current.forEach((state, s) => (results[outputs + s] = state));
  return results;
}

function reset(state: Tensor, flag: Tensor, restart: number): Tensor {
  const out = tensor(state.axes);
  let i = 0;
  visit(state.axes, [flag.axes], (o) => {
    out.data[i] = flag.data[o[0]!] !== 0 ? restart : state.data[i]!;
    i += 1;
  });
  return out;
}
