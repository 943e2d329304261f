/**
 * Takes a scan apart whose states do not all depend on each other: one scan for each state, in an order in
 * which each needs only those before it. What a later state uses of earlier ones is a sequence to it.
 */

import { GraphBuilder } from "../../ir/builder.js";
import { copyNode } from "../../ir/copy.js";
import type { Graph, NodeOf, ValueId } from "../../ir/graph.js";

/** The scan of one state, in terms of the whole scan's body. */
export interface Stage {
  readonly state: number;
  readonly body: Graph;
  /** Values of the whole body that it takes as sequences besides those of the scan. */
  readonly takes: readonly ValueId[];
  /** Values of the whole body that it gives, in the order of its outputs behind the state. */
  readonly gives: readonly ValueId[];
}

/** The stages of a scan; null when states step by each other. */
export function stagesOf({ attributes }: NodeOf<"scan">): readonly Stage[] | null {
  const { body, states } = attributes;
  const needs = statesNeeded(body, states);
  const order = inOrder(body.outputs.slice(0, states).map(({ value }) => needs.get(value)!));
  if (order === null) return null;
  /** Where in the order a value can be made; -1 where no state is needed. */
  const stage = (id: ValueId): number =>
    Math.max(-1, ...[...needs.get(id)!].map((state) => order.indexOf(state)));
  const results = body.outputs.slice(states).map(({ value }) => value);
  const wanted = order.map((_, at) => results.filter((id) => Math.max(0, stage(id)) === at));
  const found: Stage[] = [];
  for (let at = order.length - 1; at >= 0; at -= 1) {
    const state = order[at]!;
    const gives = [...new Set(wanted[at])];
    const made = bodyOf(body, states, state, gives, (id) => stage(id) < at && stage(id) >= 0);
    made.takes.forEach((id) => wanted[stage(id)]!.push(id));
    found.push({ state, gives, ...made });
  }
  return found.reverse();
}

/** Which states each value of a step is made of. */
function statesNeeded(body: Graph, states: number): ReadonlyMap<ValueId, ReadonlySet<number>> {
  const needs = new Map<ValueId, ReadonlySet<number>>();
  body.inputs.forEach(({ value }, i) => needs.set(value, new Set(i < states ? [i] : [])));
  for (const { inputs, outputs } of body.nodes) {
    const all = new Set(inputs.flatMap((id) => [...needs.get(id)!]));
    for (const id of outputs) needs.set(id, all);
  }
  return needs;
}

/** An order in which each state needs itself and those before it; null when there is none. */
function inOrder(needs: readonly ReadonlySet<number>[]): number[] | null {
  const order: number[] = [];
  while (order.length < needs.length) {
    const next = needs.findIndex(
      (own, state) =>
        !order.includes(state) && [...own].every((at) => at === state || order.includes(at)),
    );
    if (next < 0) return null;
    order.push(next);
  }
  return order;
}

/** A body that steps one state and gives `gives`; `isGiven` says of which values it is told. */
function bodyOf(
  body: Graph,
  states: number,
  state: number,
  gives: readonly ValueId[],
  isGiven: (id: ValueId) => boolean,
): { readonly body: Graph; readonly takes: readonly ValueId[] } {
  const results = [body.outputs[state]!.value, ...gives];
  const needed = new Set(results);
  const nodes = [...body.nodes].reverse().filter(({ inputs, outputs }) => {
    if (!outputs.some((id) => needed.has(id) && !isGiven(id))) return false;
    inputs.forEach((id) => needed.add(id));
    return true;
  });
  const takes = [...needed].filter(isGiven);
  const builder = new GraphBuilder(body.name);
  const known = new Map<ValueId, ValueId>();
  const declare = (name: string, value: ValueId): void => {
    known.set(value, builder.input(name, body.values[value]!.type));
  };
  const own = body.inputs[state]!;
  declare(own.name, own.value);
  takes.forEach((value) => {
    declare(body.values[value]!.name ?? `v${value}`, value);
  });
  for (const { name, value } of body.inputs.slice(states)) declare(name, value);
  for (const node of nodes.reverse()) copyNode(builder, body, node, known);
  results.forEach((value, i) => {
    const { type, name } = body.values[value]!;
    builder.outputs.push({
      name: i === 0 ? own.name : (name ?? `v${value}`),
      value: builder.conform(known.get(value)!, type.axes),
    });
  });
  return { body: builder.finish(), takes };
}
