/**
 * The recurrent form of a model: one token in, its prediction and the new states out.
 *
 * It is the lowered graph of one token in which everything that looks back (states, lags, convolutions,
 * attention) reads a carried tensor instead and writes its new value. Memory does not grow with the number
 * of tokens; full attention keeps the keys and values of `capacity` tokens.
 */

import { GraphBuilder } from "../../ir/builder.js";
import type { Graph, Module, NodeOf, ValueId } from "../../ir/graph.js";
import { type Axis, hasAxis, withoutAxes } from "../../ir/types.js";
import { copyInto, copyNode } from "../../ir/copy.js";
import { withoutRotations } from "../forms/rotation.js";
import { prune } from "../prune.js";
import { attendStep } from "./attend-step.js";
import { Carries, type CarriedState } from "./carried.js";
import { nowAlong, withPast } from "./past.js";

export type { CarriedState } from "./carried.js";

interface Decoded {
  readonly graph: Graph;
  readonly carried: readonly CarriedState[];
}

/** `module` is lowered for batch 1 and time 1. */
export function recurrentForm(
  module: Module,
  capacity: number,
): { readonly module: Module; readonly carried: readonly CarriedState[] } {
  const done = new Map<string, Decoded>();
  for (const [name, graph] of withoutRotations(module).functions)
    done.set(name, decodeFunction(graph, done, capacity, name === module.main));
  const functions = new Map([...done].map(([name, { graph }]) => [name, graph]));
  return { module: { main: module.main, functions }, carried: done.get(module.main)!.carried };
}

function decodeFunction(
  graph: Graph,
  done: ReadonlyMap<string, Decoded>,
  capacity: number,
  isMain: boolean,
): Decoded {
  const builder = new GraphBuilder(graph.name);
  const known = new Map<ValueId, ValueId>();
  const wanted = (name: string): boolean => !isMain || name === "tokens" || name === "positions";
  for (const { name, value } of graph.inputs) {
    // a prediction needs neither targets nor weights; what does is pruned
    const id = wanted(name)
      ? builder.input(name, graph.values[value]!.type)
      : builder.value(graph.values[value]!.type, name);
    known.set(value, id);
  }
  for (const { path, value, initializer, trainable, decay } of graph.parameters)
    known.set(
      value,
      builder.parameter(path, graph.values[value]!.type, initializer, trainable, decay),
    );
  const batch: Axis = { name: "batch", size: 1 };
  const carries = new Carries(builder, batch);
  const calls: CarriedState[] = [];
  const results: (() => void)[] = [];
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((id) => known.get(id)!);
    switch (node.op) {
      case "scan":
        scanStep(builder, carries, node, inputs, known);
        break;
      case "delay":
        known.set(node.outputs[0]!, delayStep(builder, carries, node, inputs));
        break;
      case "conv":
        known.set(node.outputs[0]!, convStep(builder, carries, node, inputs));
        break;
      case "attend":
        known.set(node.outputs[0]!, attendStep(builder, carries, node, inputs, capacity));
        break;
      case "slot_positions":
        known.set(node.outputs[0]!, carries.slotPositions(node, inputs));
        break;
      case "call":
        results.push(callStep(builder, graph, node, inputs, known, done, calls));
        break;
      default:
        copyNode(builder, graph, node, known);
    }
  }
  const own = graph.outputs.filter(({ name }) => !isMain || name === "prediction");
  const outputs = own.map(({ name, value }) => ({
    name,
    value: builder.conform(known.get(value)!, graph.values[value]!.type.axes),
  }));
  results.forEach((push) => {
    push();
  });
  const carried = [...carries.states, ...calls];
  // inputs and outputs in one order: the function's own, then the carried states
  const byName = new Map(builder.outputs.map((port) => [port.name, port]));
  const order = new Map(carried.map(({ name }, i) => [name, i]));
  const declared = builder.inputs.filter(({ name }) => !order.has(name));
  const states = builder.inputs
    .filter(({ name }) => order.has(name))
    .sort((a, b) => order.get(a.name)! - order.get(b.name)!);
  const finished: Graph = {
    ...builder.finish(),
    inputs: [...declared, ...states],
    outputs: [...outputs, ...carried.map(({ name }) => byName.get(name)!)],
    penalties: [],
    updates: [],
    metrics: [],
  };
  return { graph: prune(finished), carried };
}

/** The step of a recurrence itself, on the carried states. */
function scanStep(
  builder: GraphBuilder,
  carries: Carries,
  node: NodeOf<"scan">,
  inputs: readonly ValueId[],
  known: Map<ValueId, ValueId>,
): void {
  const { axis, body, states, sequences, restart } = node.attributes;
  const flag = inputs[states]!;
  const positions = carries.positionsOf(flag);
  const isRoute = axis === "slots";
  // along time the single token's axis goes; slots stay, as one more batch axis
  const step = (x: ValueId): ValueId => (isRoute ? x : builder.sum(x, [axis]));
  const start = step(flag);
  const inner = new Map<ValueId, ValueId>();
  const opened = body.inputs.slice(0, states).map(({ name, value }, i) => {
    const axes = withoutAxes(body.values[value]!.type.axes, ["batch"]);
    const carry = carries.open(name, axes, restart[i]!, positions);
    inner.set(value, builder.map("select", start, builder.constant(restart[i]!), carry.value));
    return carry;
  });
  const befores = body.inputs.slice(0, states).map(({ value }) => inner.get(value)!);
  body.inputs.slice(states).forEach(({ value }, i) => {
    const given = inputs[states + 1 + i]!;
    inner.set(value, i < sequences ? step(given) : given);
  });
  copyInto(builder, body, inner);
  const made = body.outputs.map(({ value }) => inner.get(value)!);
  opened.forEach((carry, i) => {
    carry.store(made[i]!);
  });
  const outputs = body.outputs.length - states;
  const along = (x: ValueId): ValueId => {
    if (isRoute || hasAxis(builder.type(x), axis)) return x;
    const [first, ...rest] = builder.type(x).axes;
    return builder.conform(x, [first!, { name: axis, size: 1 }, ...rest]);
  };
  made.slice(states).forEach((x, i) => known.set(node.outputs[i]!, along(x)));
  made.slice(0, states).forEach((x, i) => known.set(node.outputs[outputs + i]!, x));
  befores.forEach((x, i) => known.set(node.outputs[outputs + states + i]!, along(x)));
}

function delayStep(
  builder: GraphBuilder,
  carries: Carries,
  node: NodeOf<"delay">,
  [x, positions]: readonly ValueId[],
): ValueId {
  const { axis, by } = node.attributes;
  const { all, past } = withPast(builder, carries, "past", x!, axis, by, positions!);
  const then = builder.sum(builder.slice(all, past, by, 1), [past]);
  const inside = builder.map("ge", positions!, builder.constant(by));
  const result = builder.map("select", inside, nowAlong(builder, then, axis), builder.constant(0));
  return builder.type(x!).dtype === "int" ? builder.map("to_int", result) : result;
}

function convStep(
  builder: GraphBuilder,
  carries: Carries,
  node: NodeOf<"conv">,
  [x, w, positions]: readonly ValueId[],
): ValueId {
  const { axis, taps } = node.attributes;
  const count = builder.size(w!, taps);
  if (count === 1) return builder.mul(x!, builder.sum(w!, [taps]));
  const { all, past } = withPast(builder, carries, "conv", x!, axis, count - 1, positions!);
  const age = builder.iota({ name: past, size: count });
  const here = axis === "slots" ? positions! : builder.sum(positions!, [axis]);
  const inside = builder.map("select", builder.map("le", age, here), all, builder.constant(0));
  return nowAlong(builder, builder.dot(inside, builder.rename(w!, { [taps]: past }), [past]), axis);
}

/** A block's own carried states become the caller's, under the block's prefix. */
function callStep(
  builder: GraphBuilder,
  graph: Graph,
  node: NodeOf<"call">,
  inputs: readonly ValueId[],
  known: Map<ValueId, ValueId>,
  done: ReadonlyMap<string, Decoded>,
  calls: CarriedState[],
): () => void {
  const { callee, prefix } = node.attributes;
  const target = done.get(callee)!;
  const states = statesOf(target, prefix, calls);
  calls.push(...states);
  const given = states.map(({ name, axes }) => builder.input(name, { dtype: "float", axes }));
  const exact = inputs.map((id, i) =>
    builder.conform(id, graph.values[node.inputs[i]!]!.type.axes),
  );
  const types = target.graph.outputs.map(({ value }) => target.graph.values[value]!.type);
  const results = builder.node("call", { callee, prefix }, [...exact, ...given], types);
  const own = target.graph.outputs.length - states.length;
  node.outputs.slice(0, own).forEach((id, i) => known.set(id, results[i]!));
  // penalties and updates have no part in a prediction; what uses them is pruned
  node.outputs
    .slice(own)
    .forEach((id) => known.set(id, builder.zeros(graph.values[id]!.type.axes)));
  return () => {
    states.forEach(({ name }, i) => builder.outputs.push({ name, value: results[own + i]! }));
  };
}

/** The states of a block for one of its applications: one that is shared has them once for each. */
function statesOf(
  { carried }: Decoded,
  prefix: string,
  before: readonly CarriedState[],
): readonly CarriedState[] {
  const taken = new Set(before.map(({ name }) => name));
  const under = (place: string): readonly CarriedState[] =>
    carried.map((state) => ({ ...state, name: `${place}.${state.name}` }));
  let states = under(prefix);
  for (let turn = 2; states.some(({ name }) => taken.has(name)); turn++)
    states = under(`${prefix}_${turn}`);
  return states;
}
