/**
 * Finds the recurrences of a token graph: which nodes make up one step.
 *
 * A cycle of states steps together. What only reads a state is pulled into the step up to and with the
 * first contraction (`o = dot(q, S, key)`), so that the state itself need not be kept for every token.
 */

import type { Graph, Node, ValueId } from "../ir/graph.js";
import { type StepCycle, type Steps, findSteps } from "../ir/steps.js";

export interface Recurrence {
  readonly states: readonly number[]; // indices into graph.states
  /** Nodes of the step in order: the cycle and the reads pulled into it. */
  readonly nodes: readonly Node[];
  /** The state's value when the step begins and when it ends, for each of `states`. */
  readonly olds: readonly ValueId[];
  readonly news: readonly ValueId[];
}

/** All recurrences of a token graph, those that others depend on first; a node belongs to one at most. */
export function findRecurrences(graph: Graph): readonly Recurrence[] {
  const steps = findSteps(graph);
  const { cycles, begins, writes } = steps;
  const owner = new Map<number, StepCycle>();
  for (const cycle of cycles) for (const node of cycle.nodes) owner.set(node, cycle);
  const pulled = pullReads(graph, steps, owner);
  return cycles.map((cycle) => {
    const members = [...cycle.nodes, ...(pulled.get(cycle) ?? [])].sort((a, b) => a - b);
    const olds = cycle.states.map((state) => graph.nodes[begins[state]!]!.outputs[0]!);
    const news = cycle.states.map(
      (state, i) => graph.nodes[writes[state]!]?.outputs[0] ?? olds[i]!,
    );
    return { states: cycle.states, nodes: members.map((at) => graph.nodes[at]!), olds, news };
  });
}

/**
 * Reads for each cycle: elementwise work over the state's own axes, up to the first contraction.
 *
 * A recurrence is computed as a whole, so a read may need, besides its own cycle, only what comes before
 * it: were two recurrences to pull reads of each other, neither could be the first.
 */
function pullReads(
  graph: Graph,
  { cycles, producer }: Steps,
  owner: ReadonlyMap<number, StepCycle>,
): ReadonlyMap<StepCycle, readonly number[]> {
  const order = new Map(cycles.map((cycle, i) => [cycle, i]));
  const ranks = cycles.map(
    ({ states }) =>
      new Set(states.flatMap((state) => graph.states[state]!.axes.map(({ name }) => name))),
  );
  const regions = cycles.map(({ states }) => graph.states[states[0]!]!.region);
  /** The last cycle that a node's value depends on (-1: none); a node in or pulled into a cycle counts as its. */
  const latest = new Int32Array(graph.nodes.length).fill(-1);
  /** Nodes whose readers may still be pulled, with their cycle. */
  const open = new Map<number, number>();
  const pulled = new Map<StepCycle, number[]>();
  owner.forEach((cycle, node) => {
    latest[node] = order.get(cycle)!;
    open.set(node, order.get(cycle)!);
  });
  graph.nodes.forEach((node, at) => {
    if (owner.has(at)) return;
    const makers = node.inputs.flatMap((id) => producer.get(id) ?? []);
    const home = Math.max(-1, ...makers.map((maker) => latest[maker]!));
    latest[at] = home;
    if (home < 0 || node.region !== regions[home]) return;
    const own = makers.filter((maker) => latest[maker] === home);
    if (!own.every((maker) => open.get(maker) === home)) return;
    const rank = ranks[home]!;
    const cycle = cycles[home]!;
    const pull = (): void => {
      const list = pulled.get(cycle);
      if (list) list.push(at);
      else pulled.set(cycle, [at]);
    };
    if (node.op === "map") {
      const { axes } = graph.values[node.outputs[0]!]!.type;
      if (rank.size < 2 || axes.length !== rank.size || !axes.every(({ name }) => rank.has(name)))
        return;
      pull();
      open.set(at, home);
    } else if (node.op === "dot" || node.op === "reduce") {
      if (node.attributes.over.some((name) => rank.has(name))) pull();
    }
  });
  return new Map([...pulled].map(([cycle, nodes]) => [cycle, contracting(graph, nodes)]));
}

/** Of pulled nodes, those on the way to a contraction: elementwise use of a whole state gains nothing. */
function contracting(graph: Graph, nodes: readonly number[]): number[] {
  const needed = new Set<ValueId>();
  const kept: number[] = [];
  for (const at of [...nodes].reverse()) {
    const node = graph.nodes[at]!;
    if (node.op === "map" && !node.outputs.some((id) => needed.has(id))) continue;
    kept.push(at);
    node.inputs.forEach((id) => needed.add(id));
  }
  return kept.reverse();
}
