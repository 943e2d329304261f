/**
 * The cycles of a token graph: which nodes step together from one token to the next.
 *
 * A state's last write leads back to its beginning at the next token. A state, its writes, and everything
 * on a path between them are one cycle; so are states on each other's paths.
 */

import { components } from "./components.js";
import type { Graph, ValueId } from "./graph.js";

export interface StepCycle {
  readonly states: readonly number[]; // indices into graph.states
  readonly nodes: readonly number[]; // indices into graph.nodes, in order
}

export interface Steps {
  /** Every state is in one of these; those that others depend on come first. */
  readonly cycles: readonly StepCycle[];
  /** Indices of the nodes that follow a node within a token and, for states, to the next one. */
  readonly followers: readonly (readonly number[])[];
  readonly producer: ReadonlyMap<ValueId, number>;
  /** For each state: the node that begins it, and its last write, or -1 when it is never written. */
  readonly begins: readonly number[];
  readonly writes: readonly number[];
}

export function findSteps(graph: Graph): Steps {
  const producer = new Map<ValueId, number>();
  const stateOf = new Map(graph.states.map(({ name }, i) => [name, i]));
  const begins = graph.states.map(() => -1);
  const writes = graph.states.map(() => -1);
  const all = graph.states.map((): number[] => []);
  const followers: number[][] = graph.nodes.map(() => []);
  graph.nodes.forEach((node, i) => {
    for (const id of node.outputs) producer.set(id, i);
    for (const id of node.inputs) {
      const maker = producer.get(id);
      if (maker !== undefined) followers[maker]!.push(i);
    }
    if (node.op === "state") begins[stateOf.get(node.attributes.state)!] = i;
    if (node.op === "write") {
      const state = stateOf.get(node.attributes.state)!;
      writes[state] = i;
      all[state]!.push(i);
    }
  });
  all.forEach((own, state) => {
    for (const write of own) {
      followers[write]!.push(begins[state]!);
      // part of the step, whether or not it looks at what was there before
      followers[begins[state]!]!.push(write);
    }
  });
  // counted from the end, so that of cycles that do not depend on each other the first in the source comes
  // first: what is read of a state often needs a state before it (GSA's two passes)
  const last = graph.nodes.length - 1;
  const component = components(last + 1, (node) =>
    followers[last - node]!.map((follower) => last - follower),
  ).reverse();
  const byComponent = new Map<number, { states: number[]; nodes: number[] }>();
  begins.forEach((begin, state) => {
    const key = component[begin]!;
    const cycle = byComponent.get(key);
    if (cycle) cycle.states.push(state);
    else byComponent.set(key, { states: [state], nodes: [] });
  });
  component.forEach((key, node) => byComponent.get(key)?.nodes.push(node));
  const cycles = [...byComponent].sort(([a], [b]) => b - a).map(([, cycle]) => cycle);
  return { cycles, followers, producer, begins, writes };
}
