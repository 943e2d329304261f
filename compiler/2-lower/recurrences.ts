/**
 * Finds the recurrences of a token graph: which nodes make up one step.
 *
 * A state, its writes, and everything on a path between them step together; states on each other's paths
 * are one recurrence. What only reads a state is pulled into the step up to and with the first contraction
 * (`o = dot(q, S, key)`), so that the state itself need not be kept for every token.
 */

import type { Graph, Node, ValueId } from "../ir/graph.js";

export interface Recurrence {
  readonly states: readonly number[]; // indices into graph.states
  /** Nodes of the step in order: the cycle and the reads pulled into it. */
  readonly nodes: readonly Node[];
  /** The state's value when the step begins and when it ends, for each of `states`. */
  readonly olds: readonly ValueId[];
  readonly news: readonly ValueId[];
}

interface Users {
  readonly producer: ReadonlyMap<ValueId, number>; // node index
  readonly consumers: readonly (readonly number[])[]; // node indices by node index
}

function links(graph: Graph): Users {
  const producer = new Map<ValueId, number>();
  graph.nodes.forEach((node, i) => node.outputs.forEach((id) => producer.set(id, i)));
  const consumers: number[][] = graph.nodes.map(() => []);
  graph.nodes.forEach((node, i) => {
    for (const id of node.inputs) {
      const maker = producer.get(id);
      if (maker !== undefined) consumers[maker]!.push(i);
    }
  });
  return { producer, consumers };
}

/** Strongly connected components by Tarjan's algorithm, with an explicit stack. */
function components(count: number, successors: (node: number) => readonly number[]): number[] {
  const index = new Int32Array(count).fill(-1);
  const low = new Int32Array(count);
  const onStack = new Uint8Array(count);
  const component = new Array<number>(count).fill(-1);
  const stack: number[] = [];
  let next = 0;
  let found = 0;
  for (let root = 0; root < count; root += 1) {
    if (index[root] !== -1) continue;
    const work: { node: number; at: number; targets: readonly number[] | null }[] = [
      { node: root, at: 0, targets: null },
    ];
    while (work.length > 0) {
      const top = work[work.length - 1]!;
      const { node } = top;
      if (top.targets === null) {
        top.targets = successors(node);
        index[node] = low[node] = next;
        next += 1;
        stack.push(node);
        onStack[node] = 1;
      }
      const { targets } = top;
      let descended = false;
      while (top.at < targets.length) {
        const target = targets[top.at]!;
        top.at += 1;
        if (index[target] === -1) {
          work.push({ node: target, at: 0, targets: null });
          descended = true;
          break;
        }
        if (onStack[target]) low[node] = Math.min(low[node]!, index[target]!);
      }
      if (descended) continue;
      work.pop();
      const parent = work[work.length - 1];
      if (parent) low[parent.node] = Math.min(low[parent.node]!, low[node]!);
      if (low[node] !== index[node]) continue;
      for (;;) {
        const member = stack.pop()!;
        onStack[member] = 0;
        component[member] = found;
        if (member === node) break;
      }
      found += 1;
    }
  }
  return component;
}

/** All recurrences of a token graph; a node belongs to one at most. */
export function findRecurrences(graph: Graph): readonly Recurrence[] {
  const { producer, consumers } = links(graph);
  const stateNodes = graph.states.map((state) =>
    graph.nodes.findIndex((node) => node.op === "state" && node.attributes.state === state.name),
  );
  const lastWrites = graph.states.map((state) =>
    graph.nodes.findLastIndex(
      (node) => node.op === "write" && node.attributes.state === state.name,
    ),
  );
  const extra = new Map<number, number[]>();
  const link = (from: number, to: number): void => {
    extra.set(from, [...(extra.get(from) ?? []), to]);
  };
  graph.states.forEach((_, i) => {
    if (lastWrites[i] === -1) return;
    link(lastWrites[i]!, stateNodes[i]!);
    link(stateNodes[i]!, lastWrites[i]!);
  });
  const component = components(graph.nodes.length, (node) => [
    ...consumers[node]!,
    ...(extra.get(node) ?? []),
  ]);
  const groups = new Map<number, number[]>();
  stateNodes.forEach((node, state) => {
    const key = component[node]!;
    groups.set(key, [...(groups.get(key) ?? []), state]);
  });
  const taken = new Set<number>();
  return [...groups].map(([key, states]) => {
    const members = new Set<number>();
    component.forEach((c, node) => {
      if (c === key) members.add(node);
    });
    const rank = new Set(
      states.flatMap((state) => graph.states[state]!.axes.map((axis) => axis.name)),
    );
    pullReads(graph, members, producer, consumers, rank, taken);
    members.forEach((node) => taken.add(node));
    const nodes = [...members].sort((a, b) => a - b).map((node) => graph.nodes[node]!);
    const olds = states.map((state) => graph.nodes[stateNodes[state]!]!.outputs[0]!);
    const news = states.map((state, i) => graph.nodes[lastWrites[state]!]?.outputs[0] ?? olds[i]!);
    return { states, nodes, olds, news };
  });
}

/** Adds reads to `members`: elementwise work over the state's own axes, up to the first contraction. */
function pullReads(
  graph: Graph,
  members: Set<number>,
  producer: ReadonlyMap<ValueId, number>,
  consumers: readonly (readonly number[])[],
  rank: ReadonlySet<string>,
  taken: ReadonlySet<number>,
): void {
  const dependent = reachable(members, consumers);
  const core = new Set(members);
  const open = new Set(members); // members whose readers may still be pulled
  for (let at = 0; at < graph.nodes.length; at += 1) {
    const node = graph.nodes[at]!;
    if (core.has(at) || taken.has(at) || !dependent.has(at)) continue;
    const makers = node.inputs.map((id) => producer.get(id));
    if (!makers.some((maker) => maker !== undefined && open.has(maker))) continue;
    const allowed = makers.every(
      (maker) => maker === undefined || open.has(maker) || !dependent.has(maker),
    );
    if (!allowed) continue;
    const names = graph.values[node.outputs[0]!]!.type.axes.map((axis) => axis.name);
    const whole =
      [...rank].every((name) => names.includes(name)) && names.every((name) => rank.has(name));
    if (node.op === "map" && whole && rank.size > 1) {
      members.add(at);
      open.add(at);
    } else if (node.op === "dot" || node.op === "reduce") {
      const over = node.attributes.over;
      if (over.some((name) => rank.has(name))) members.add(at);
    }
  }
}

function reachable(
  from: ReadonlySet<number>,
  consumers: readonly (readonly number[])[],
): Set<number> {
  const seen = new Set<number>(from);
  const work = [...from];
  while (work.length > 0) {
    const node = work.pop()!;
    for (const next of consumers[node]!)
      if (!seen.has(next)) {
        seen.add(next);
        work.push(next);
      }
  }
  return seen;
}
