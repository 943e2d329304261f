/**
 * Gradients of whole models: every block becomes a forward function that also gives what its backward
 * function needs (residuals), and the backward function; `main` becomes one graph with both.
 *
 * Outputs of the new main: those of the old one, and `grad.<path>` for every trained parameter.
 */

import { GraphBuilder } from "../ir/builder.js";
import {
  type Graph,
  type Module,
  type Node,
  type Port,
  type ValueId,
  allResults,
} from "../ir/graph.js";
import { modelParameters } from "../ir/program.js";
import { InternalFault } from "../ir/types.js";
import { backpropagate } from "../ir/backpropagate.js";
import { copyNode, openCopy } from "../ir/copy.js";
import type { Cotangent } from "../ir/gradients/rule.js";
import { prune } from "./prune.js";

/** What a caller must know of a differentiated block. */
interface Split {
  readonly forward: Graph;
  readonly backward: Graph;
  readonly residuals: number; // outputs of `forward` after its own
  readonly inputs: readonly boolean[]; // which inputs have a cotangent
}

export const gradientName = (path: string): string => `grad.${path}`;
const forwardName = (name: string): string => `${name}.forward`;
const backwardName = (name: string): string => `${name}.backward`;

export function differentiate(module: Module): Module {
  const functions = new Map<string, Graph>();
  const splits = new Map<string, Split>();
  for (const [name, graph] of module.functions) {
    if (name === module.main) continue;
    const split = splitBlock(graph, splits);
    splits.set(name, split);
    functions.set(split.forward.name, split.forward);
    functions.set(split.backward.name, split.backward);
  }
  functions.set(module.main, trainingMain(module, splits));
  return { main: module.main, functions };
}

/** A function under differentiation: its forward nodes in `builder`, then its backward nodes. */
interface Joint {
  readonly builder: GraphBuilder;
  readonly known: Map<ValueId, ValueId>; // from the original graph
  readonly cotangents: Map<ValueId, ValueId>;
  /** Gradients of callees' parameters by path here; several calls with one path add up. */
  readonly calleeGradients: Map<string, ValueId>;
  /** Residuals that each call of the forward pass gave. */
  readonly residuals: Map<Node, readonly ValueId[]>;
}

function openJoint(graph: Graph, splits: ReadonlyMap<string, Split>): Joint {
  const builder = new GraphBuilder(graph.name);
  const known = openCopy(builder, graph);
  const residuals = new Map<Node, readonly ValueId[]>();
  for (const node of graph.nodes) {
    if (node.op !== "call") {
      copyNode(builder, graph, node, known);
      continue;
    }
    const split = splits.get(node.attributes.callee)!;
    const { forward } = split;
    const isResidual = ({ name }: Port): boolean => name.startsWith(residualPrefix);
    const extra = forward.outputs.filter(isResidual);
    const kept = forward.outputs.filter((port) => !isResidual(port));
    const own = allResults({ ...forward, outputs: kept });
    const ports = allResults(forward);
    const typeOf = (port: { readonly value: ValueId }) => forward.values[port.value]!.type;
    const inputs = node.inputs.map((id) =>
      builder.conform(known.get(id)!, graph.values[id]!.type.axes),
    );
    // the callee's results in the order of any call: outputs (residuals last among them), and what comes behind them
    const results = builder.node(
      "call",
      { callee: forward.name, prefix: node.attributes.prefix },
      inputs,
      ports.map(typeOf),
    );
    const made = builder.nodes.at(-1)!;
    own.forEach((port, i) => known.set(node.outputs[i]!, results[ports.indexOf(port)]!));
    residuals.set(
      made,
      extra.map((port) => results[ports.indexOf(port)]!),
    );
  }
  return { builder, known, cotangents: new Map(), calleeGradients: new Map(), residuals };
}

const residualPrefix = "residual.";

function runBackward(joint: Joint, splits: ReadonlyMap<string, Split>): void {
  const { builder, cotangents } = joint;
  const byForward = new Map([...splits.values()].map((split) => [split.forward.name, split]));
  backpropagate(builder, [...builder.nodes], cotangents, (_, node, own) => {
    if (node.op !== "call") throw new InternalFault("not a call");
    return callBackward(joint, byForward.get(node.attributes.callee)!, node, own);
  });
}

function callBackward(
  joint: Joint,
  split: Split,
  node: Node,
  own: readonly Cotangent[],
): readonly Cotangent[] {
  if (node.op !== "call") throw new InternalFault("not a call");
  const { builder } = joint;
  const { forward, backward } = split;
  const ports = [...forward.outputs, ...forward.penalties];
  const seeds = ports.flatMap((port, i) => {
    if (port.name.startsWith(residualPrefix)) return [];
    const { axes } = forward.values[port.value]!.type;
    const d = own[i] ?? null;
    return [builder.conform(d ?? builder.constant(0), axes)];
  });
  const inputs = [...node.inputs, ...joint.residuals.get(node)!, ...seeds];
  const types = backward.outputs.map(({ value }) => backward.values[value]!.type);
  const { prefix } = node.attributes;
  const results = builder.node("call", { callee: backward.name, prefix }, inputs, types);
  const count = split.inputs.filter(Boolean).length;
  backward.outputs.slice(count).forEach(({ name }, i) => {
    const path = `${prefix}.${name.slice(gradientName("").length)}`;
    const existing = joint.calleeGradients.get(path);
    const d = results[count + i]!;
    joint.calleeGradients.set(path, existing === undefined ? d : builder.add(existing, d));
  });
  let next = 0;
  return split.inputs.map((wanted) => (wanted ? results[next++]! : null));
}

/** Gradients of all trained parameters of a joint graph, as output ports. */
function parameterGradients(joint: Joint): { name: string; value: ValueId }[] {
  const { builder, cotangents, calleeGradients } = joint;
  const own = builder.parameters
    .filter(({ trainable }) => trainable)
    .map(({ path, value }) => {
      const d = cotangents.get(value) ?? builder.constant(0);
      return { name: gradientName(path), value: builder.conform(d, builder.type(value).axes) };
    });
  return [
    ...own,
    ...[...calleeGradients].map(([path, value]) => ({ name: gradientName(path), value })),
  ];
}

function trainingMain(module: Module, splits: ReadonlyMap<string, Split>): Graph {
  const graph = module.functions.get(module.main)!;
  const joint = openJoint(graph, splits);
  const { builder, known, cotangents } = joint;
  const port = <P extends { readonly value: ValueId }>(p: P): P => ({
    ...p,
    value: known.get(p.value)!,
  });
  const objective = graph.outputs.find(({ name }) => name === "objective")!;
  cotangents.set(known.get(objective.value)!, builder.constant(1));
  runBackward(joint, splits);
  const gradients = parameterGradients(joint);
  const found = new Set(gradients.map(({ name }) => name));
  for (const { path, type, trainable } of modelParameters(module.functions, module.main))
    if (trainable && !found.has(gradientName(path)))
      // of a block that the loss does not depend on
      gradients.push({ name: gradientName(path), value: builder.zeros(type.axes) });
  builder.outputs.push(...graph.outputs.map(port), ...gradients);
  builder.updates.push(...graph.updates.map(port));
  builder.metrics.push(...graph.metrics.map(port));
  return prune(builder.finish());
}

/** Differentiates a block and cuts it in two between its forward and its backward nodes. */
function splitBlock(graph: Graph, splits: ReadonlyMap<string, Split>): Split {
  const joint = openJoint(graph, splits);
  const { builder, known, cotangents } = joint;
  const boundary = builder.nodes.length;
  const inputCount = builder.inputs.length;
  for (const { name, value } of [...graph.outputs, ...graph.penalties]) {
    const d = builder.input(`d.${name}`, graph.values[value]!.type);
    const target = known.get(value)!;
    const existing = cotangents.get(target);
    cotangents.set(target, existing === undefined ? d : builder.add(existing, d));
  }
  runBackward(joint, splits);
  const inputs = graph.inputs.map(({ name }) => name !== "positions");
  const results = graph.inputs
    .filter((_, i) => inputs[i])
    .map(({ name, value }) => {
      const d = cotangents.get(known.get(value)!) ?? builder.constant(0);
      return { name: `d.${name}`, value: builder.conform(d, graph.values[value]!.type.axes) };
    });
  results.push(...parameterGradients(joint));

  const whole = builder.finish();
  const forwardValues = new Set(whole.nodes.slice(0, boundary).flatMap((node) => node.outputs));
  const needed = residualsOf(
    whole,
    boundary,
    forwardValues,
    results.map(({ value }) => value),
  );
  const forward = forwardPart(graph, whole, boundary, known, needed);
  const backward = backwardPart(graph, whole, boundary, inputCount, needed, results);
  return { forward, backward, residuals: needed.length, inputs };
}

/** Nodes that are made again rather than kept: they have no inputs. */
const isFree = (node: Node): boolean => node.op === "constant" || node.op === "iota";

/** Forward values that the backward nodes use. */
function residualsOf(
  whole: Graph,
  boundary: number,
  forwardValues: ReadonlySet<ValueId>,
  results: readonly ValueId[],
): ValueId[] {
  const pruned = liveNodes(whole, boundary, results);
  const free = new Set(
    whole.nodes
      .slice(0, boundary)
      .filter(isFree)
      .flatMap((node) => node.outputs),
  );
  const used = new Set([...pruned.flatMap((node) => node.inputs), ...results]);
  return [...used].filter((id) => forwardValues.has(id) && !free.has(id)).sort((a, b) => a - b);
}

/** Backward nodes that the results need. */
function liveNodes(whole: Graph, boundary: number, results: readonly ValueId[]): Node[] {
  const live = new Set(results);
  const kept: Node[] = [];
  for (const node of whole.nodes.slice(boundary).reverse()) {
    if (!node.outputs.some((id) => live.has(id))) continue;
    kept.push(node);
    node.inputs.forEach((id) => live.add(id));
  }
  return kept.reverse();
}

function forwardPart(
  graph: Graph,
  whole: Graph,
  boundary: number,
  joint: ReadonlyMap<ValueId, ValueId>,
  needed: readonly ValueId[],
): Graph {
  const part: Graph = {
    ...whole,
    name: forwardName(graph.name),
    inputs: whole.inputs.slice(0, graph.inputs.length),
    nodes: whole.nodes.slice(0, boundary),
    outputs: [
      ...graph.outputs.map((p) => ({ ...p, value: joint.get(p.value)! })),
      ...needed.map((value, i) => ({ name: `${residualPrefix}${i}`, value })),
    ],
    penalties: graph.penalties.map((p) => ({ ...p, value: joint.get(p.value)! })),
    updates: graph.updates.map((p) => ({ ...p, value: joint.get(p.value)! })),
    metrics: graph.metrics.map((p) => ({ ...p, value: joint.get(p.value)! })),
  };
  return prune(part);
}

function backwardPart(
  graph: Graph,
  whole: Graph,
  boundary: number,
  inputCount: number,
  needed: readonly ValueId[],
  results: readonly { readonly name: string; readonly value: ValueId }[],
): Graph {
  const builder = new GraphBuilder(backwardName(graph.name));
  const known = new Map<ValueId, ValueId>();
  const declare = (name: string, value: ValueId): void => {
    known.set(value, builder.input(name, whole.values[value]!.type));
  };
  whole.inputs.slice(0, inputCount).forEach(({ name, value }) => declare(name, value));
  needed.forEach((value, i) => {
    declare(`${residualPrefix}${i}`, value);
    const { name } = whole.values[value]!;
    if (name !== null)
      builder.values[known.get(value)!] = { ...builder.values[known.get(value)!]!, name };
  });
  whole.inputs.slice(inputCount).forEach(({ name, value }) => declare(name, value));
  for (const { path, value, initializer, trainable, decay } of whole.parameters)
    known.set(
      value,
      builder.parameter(path, whole.values[value]!.type, initializer, trainable, decay),
    );
  for (const node of whole.nodes.slice(0, boundary))
    if (isFree(node)) copyNode(builder, whole, node, known);
  const kept = liveNodes(
    whole,
    boundary,
    results.map(({ value }) => value),
  );
  for (const node of kept) copyNode(builder, whole, node, known);
  builder.outputs.push(
    ...results.map(({ name, value }) => ({
      name,
      value: builder.conform(known.get(value)!, whole.values[value]!.type.axes),
    })),
  );
  return prune(builder.finish());
}
