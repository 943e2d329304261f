/**
 * `S <- … at chunk(n)`: what a step does with states beyond a linear use of its own is done with their
 * values at the start of the chunk.
 *
 * A chunk is n tokens of one document, counted from its first: it starts where position mod n = 0. In the
 * step of S, a term that is affine in S and reads no other state that steps together with S keeps the S of
 * now. Every other term reads S, and those other states, as they were before the chunk's first token. What
 * was written to another state in the same token is a value like any other.
 *
 * The copy is a state of its own, so that all that follows knows it already:
 *
 *     start ← position mod n = 0 ? S : start
 */

import type { GraphBuilder } from "../ir/builder.js";
import type { Graph, Node, NodeOf, ValueId } from "../ir/graph.js";
import type { OpName } from "../ir/ops.js";
import { findSteps } from "../ir/steps.js";
import { expandWhole } from "../ir/whole.js";
import { TokenCopy } from "./token-copy.js";

/** The graph with a copy of every state that a step sees as it was at the chunk's start. */
export function chunkStarts(graph: Graph): Graph {
  const asks = (node: Node): boolean => node.op === "write" && node.attributes.chunk !== null;
  if (!graph.nodes.some(asks)) return graph;
  const { cycles } = findSteps(graph);
  const copy = new TokenCopy(graph);
  for (const node of graph.nodes) {
    const step = node.op === "write" && asks(node) ? frozenStep(graph, node, cycles) : null;
    copy.node(node, step === null ? null : new SplitStep(copy, step).run());
  }
  return copy.finish();
}

/** A step of which a part is of the chunk's start: the nodes from the states to the written value, in order. */
interface FrozenStep {
  readonly write: NodeOf<"write">;
  readonly size: number;
  readonly nodes: readonly Node[];
  readonly parts: ReadonlyMap<ValueId, Parts>;
  /** Values that are a state: its own ones (of now), and the old ones of others in the cycle. */
  readonly atoms: ReadonlyMap<ValueId, string>;
}

/** Whether a value has a part that is linear in the step's own state, and one of the chunk's start. */
interface Parts {
  readonly linear: boolean;
  readonly frozen: boolean;
}

/** Ops of one operand that a sum goes through. */
const linearOps: ReadonlySet<OpName> = new Set<OpName>([
  "expand",
  "rename",
  "split",
  "merge",
  "slice",
  "pad",
  "shift",
]);

/** What a step with `at chunk(n)` is made of; null when all of it is affine in its own state. */
function frozenStep(
  graph: Graph,
  write: NodeOf<"write">,
  cycles: ReturnType<typeof findSteps>["cycles"],
): FrozenStep | null {
  const own = write.attributes.state;
  const cycle = cycles.find(({ states }) => states.some((at) => graph.states[at]!.name === own))!;
  const together = new Set(cycle.states.map((at) => graph.states[at]!.name));
  const atoms = new Map<ValueId, string>();
  const parts = new Map<ValueId, Parts>();
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    if (node === write) break;
    if (node.op === "state" || node.op === "write") {
      const { state } = node.attributes;
      const isOwn = state === own;
      // what another state has become in this token is a value like any other
      if (!isOwn && (node.op === "write" || !together.has(state))) continue;
      atoms.set(node.outputs[0]!, state);
      parts.set(node.outputs[0]!, { linear: isOwn, frozen: !isOwn });
      continue;
    }
    const found = node.inputs.map((id) => parts.get(id) ?? null);
    if (found.every((part) => part === null)) continue;
    nodes.push(node);
    for (const id of node.outputs) parts.set(id, partsOf(node, found));
  }
  const result = parts.get(write.inputs[0]!);
  if (!result?.frozen) return null;
  return { write, size: write.attributes.chunk!, nodes: leadingTo(write, nodes), parts, atoms };
}

/** Those of the nodes whose values the write needs. */
function leadingTo(write: Node, nodes: readonly Node[]): readonly Node[] {
  const needed = new Set(write.inputs);
  const kept = [...nodes].reverse().filter((node) => {
    if (!node.outputs.some((id) => needed.has(id))) return false;
    node.inputs.forEach((id) => needed.add(id));
    return true;
  });
  return kept.reverse();
}

const allFrozen: Parts = { linear: false, frozen: true };

/** `found` has the parts of the operands that depend on states, null for the others. */
function partsOf(node: Node, found: readonly (Parts | null)[]): Parts {
  const given = found.filter((part) => part !== null);
  const union: Parts = {
    linear: given.some(({ linear }) => linear),
    frozen: given.some(({ frozen }) => frozen),
  };
  return isSum(node) || (given.length === 1 && isLinear(node, found)) ? union : allFrozen;
}

const isSum = (node: Node): boolean =>
  node.op === "map" && (node.attributes.fn === "add" || node.attributes.fn === "sub");

/** Whether a node of one operand that depends on states is linear in it. */
function isLinear(node: Node, found: readonly (Parts | null)[]): boolean {
  if (node.op === "map") {
    const { fn } = node.attributes;
    return fn === "neg" || fn === "mul" || (fn === "div" && found[0] !== null);
  }
  if (node.op === "reduce") return node.attributes.fn === "sum";
  return node.op === "dot" || linearOps.has(node.op);
}

/** A value in its two parts, and as a whole with every state as it was at the chunk's start. */
interface Split {
  readonly linear: ValueId | null;
  readonly frozen: ValueId | null;
  readonly start: ValueId;
}

class SplitStep {
  private readonly b: GraphBuilder;
  private readonly splits = new Map<ValueId, Split>();

  constructor(
    private readonly copy: TokenCopy,
    private readonly step: FrozenStep,
  ) {
    this.b = copy.builder;
  }

  /** Builds the step in the copy; gives what is written. */
  run(): ValueId {
    const { copy, step } = this;
    const { write, size, nodes, atoms, parts } = step;
    copy.at(write);
    const used = new Set([...nodes.flatMap(({ inputs }) => inputs), ...write.inputs]);
    for (const [id, state] of atoms) {
      if (!used.has(id)) continue;
      const start = copy.startOf(state, size, write.region);
      const isOwn = state === write.attributes.state;
      const now = copy.value(id);
      this.splits.set(
        id,
        isOwn ? { linear: now, frozen: null, start } : { linear: null, frozen: start, start },
      );
    }
    for (const node of nodes) this.node(node, parts.get(node.outputs[0]!)!);
    const { linear, frozen } = this.splits.get(write.inputs[0]!)!;
    return linear === null ? frozen! : this.b.add(linear, frozen!);
  }

  private node(node: Node, { linear }: Parts): void {
    const splits = node.inputs.map((id) => this.splits.get(id) ?? null);
    const free = node.inputs.map((id) => (this.splits.has(id) ? null : this.copy.value(id)));
    const starts = splits.map((split, i) => split?.start ?? free[i]!);
    const made = this.copy.again(node, starts);
    node.outputs.forEach((id, i) => {
      const start = made[i]!;
      if (!linear) this.splits.set(id, { linear: null, frozen: start, start });
      else if (isSum(node)) this.splits.set(id, { ...this.sum(node, splits, free), start });
      else this.splits.set(id, { ...this.each(node, splits, free), start });
    });
  }

  /** a ± b, part by part; what depends on no state goes with the linear part, which stays affine. */
  private sum(
    node: Node,
    splits: readonly (Split | null)[],
    free: readonly (ValueId | null)[],
  ): Omit<Split, "start"> {
    const minus = node.op === "map" && node.attributes.fn === "sub";
    const side = (part: "linear" | "frozen", i: number): ValueId | null => {
      const split = splits[i]!;
      return split === null ? (part === "linear" ? free[i]! : null) : split[part];
    };
    const join = (part: "linear" | "frozen"): ValueId | null => {
      const [x, y] = [side(part, 0), side(part, 1)];
      if (y === null) return x;
      if (x === null) return minus ? this.b.neg(y) : y;
      return minus ? this.b.sub(x, y) : this.b.add(x, y);
    };
    return { linear: join("linear"), frozen: join("frozen") };
  }

  /** A linear op on each part of the one operand that has parts. */
  private each(
    node: Node,
    splits: readonly (Split | null)[],
    free: readonly (ValueId | null)[],
  ): Omit<Split, "start"> {
    const on = (part: "linear" | "frozen"): ValueId | null => {
      const inputs = splits.map((split, i) => (split === null ? free[i]! : split[part]));
      if (inputs.some((id) => id === null)) return null;
      const given = inputs as ValueId[];
      return node.op === "expand"
        ? expandWhole(this.b, node, given[0]!)
        : this.copy.again(node, given)[0]!;
    };
    return { linear: on("linear"), frozen: on("frozen") };
  }
}
