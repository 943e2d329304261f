/**
 * Tensor parallelism: what becomes of a function when some of its axes are shared out over tp.
 *
 * The function is walked once. Along a shared axis an elementwise op, a recurrence or an attention does its part by
 * itself; a contraction over it leaves partial sums, which are added up over tp (Megatron's row-parallel linear map),
 * behind weighted sums of experts where there are some; whatever needs the axis whole has it gathered first. Where a value that every device has meets one that is shared
 * out, its cotangent is a partial sum in the backward pass (column-parallel), and so is the gradient of a weight.
 */

import type { Graph, Node, ValueId } from "../ir/graph.js";
import { elementCount, hasAxis, type TensorType } from "../ir/types.js";
import { axesAlong, baseName } from "./along.js";

/** The tensors that cross tp in one run of a function, as wholes. */
export interface TensorParallel {
  /** Shared axis of each value that has one. */
  readonly shared: ReadonlyMap<ValueId, string>;
  readonly reduced: readonly TensorType[]; // forward, added up
  readonly reducedByWeights: boolean; // each of them by a linear map
  readonly gathered: readonly TensorType[]; // forward
  readonly entering: readonly TensorType[]; // backward, added up
  readonly weights: readonly ValueId[]; // whole parameters whose gradients are added up
}

/** Axes along which states and attention are independent. */
const headAxes: readonly string[] = ["heads", "kv_heads"];

export const nothingShared: TensorParallel = {
  shared: new Map(),
  reduced: [],
  reducedByWeights: true,
  gathered: [],
  entering: [],
  weights: [],
};

/** The axes of a function that are shared out over `tp` devices: its heads, and inner axes of its feed-forward layers. */
export function tensorParallelAxes(graph: Graph, tp: number): ReadonlySet<string> {
  if (tp === 1) return new Set();
  const sizes = new Map<string, number[]>();
  for (const { type } of graph.values)
    for (const { name, size } of type.axes) {
      const base = baseName(name);
      sizes.set(base, [...(sizes.get(base) ?? []), size]);
    }
  const divides = (name: string): boolean => sizes.get(name)!.every((size) => size % tp === 0);
  const found = new Set(headAxes.filter((name) => sizes.has(name) && divides(name)));
  const byHeads = shareAxes(graph, found).shared;
  const outside = new Set(
    [...graph.inputs, ...graph.outputs].flatMap(({ value }) =>
      graph.values[value]!.type.axes.map(({ name }) => baseName(name)),
    ),
  );
  const candidates = new Set(
    graph.parameters.flatMap(({ value }) =>
      graph.values[value]!.type.axes.map(({ name }) => baseName(name)),
    ),
  );
  for (const name of candidates)
    if (!found.has(name) && !outside.has(name) && divides(name) && isInner(graph, name, byHeads))
      found.add(name);
  return found;
}

/** Made by linear maps and taken away by linear maps, with nothing but elementwise work between; not one that heads have. */
function isInner(graph: Graph, name: string, byHeads: ReadonlyMap<ValueId, string>): boolean {
  const alone = shareAxes(graph, new Set([name]));
  return (
    alone.reduced.length > 0 &&
    alone.reducedByWeights &&
    alone.gathered.length === 0 &&
    [...alone.shared.keys()].every((id) => !byHeads.has(id))
  );
}

/** Walks a function whose axes of these names (but for primes) are shared out. */
export function shareAxes(graph: Graph, names: ReadonlySet<string>): TensorParallel {
  if (names.size === 0) return nothingShared;
  const walk = new Walk(graph, names);
  for (const node of graph.nodes) walk.node(node);
  for (const { value } of graph.outputs) walk.whole(value);
  return walk;
}

class Walk implements TensorParallel {
  readonly shared = new Map<ValueId, string>();
  readonly reduced: TensorType[] = [];
  reducedByWeights = true;
  readonly gathered: TensorType[] = [];
  private readonly enteringIds = new Set<ValueId>();
  private readonly weightIds = new Set<ValueId>();
  private readonly gatheredIds = new Set<ValueId>();
  /** Partial sums that are still to be added up. */
  private readonly partial = new Set<ValueId>();
  /** Values that some weight or input of a gradient is behind; constants and positions are not. */
  private readonly varying = new Set<ValueId>();
  private readonly uses = new Map<ValueId, number>();
  private readonly parameters: ReadonlySet<ValueId>;
  private readonly sources = new Map<ValueId, ValueId>(); // a renamed value is the one it renames

  constructor(
    private readonly graph: Graph,
    private readonly names: ReadonlySet<string>,
  ) {
    this.parameters = new Set(graph.parameters.map(({ value }) => value));
    for (const { inputs } of graph.nodes)
      for (const id of inputs) this.uses.set(id, (this.uses.get(id) ?? 0) + 1);
    for (const { value } of graph.parameters) this.varying.add(value);
    for (const { name, value } of graph.inputs)
      if (name !== "positions" && this.type(value).dtype === "float") this.varying.add(value);
  }

  get entering(): TensorType[] {
    return [...this.enteringIds].map((id) => this.type(id));
  }

  get weights(): ValueId[] {
    return [...this.weightIds];
  }

  /** Makes a value whole on every device, once: adds up its partial sums, or gathers its shards. */
  whole(id: ValueId): void {
    if (this.partial.delete(id)) this.reduced.push(this.type(id));
    if (!this.shared.has(id) || this.gatheredIds.has(id)) return;
    this.gatheredIds.add(id);
    this.gathered.push(this.type(id));
  }

  node(node: Node): void {
    if (node.op === "rename")
      return this.rename(node.inputs[0]!, node.outputs[0]!, node.attributes.names);
    if (node.inputs.some((id) => this.varying.has(id)))
      for (const id of node.outputs) this.varying.add(id);
    if (node.op === "call") {
      for (const id of node.inputs) this.whole(id);
      return;
    }
    if (this.passesOn(node)) return;
    for (const id of node.inputs) if (this.partial.has(id)) this.whole(id);
    const axis = this.axisOf(node);
    if (axis === null) {
      // rows that are looked up send their gradients back before these are added up
      if (node.op === "take" && !this.parameters.has(node.inputs[0]!))
        this.sources.set(node.outputs[0]!, this.sources.get(node.inputs[0]!) ?? node.inputs[0]!);
      return;
    }
    const along = axesAlong(node);
    const sums = node.op === "reduce" || node.op === "dot" || node.op === "grouped_dot";
    const partial = sums && along.includes(axis);
    for (const id of node.inputs) {
      const own = this.shared.get(id);
      if (own !== undefined && own !== axis) this.whole(id);
      else if (own === undefined && hasAxis(this.type(id), axis)) this.share(id, axis);
      else if (own === undefined && !partial) this.enter(id);
    }
    if (partial) {
      this.partial.add(node.outputs[0]!);
      if (!node.inputs.some((id) => this.parameters.has(id))) this.reducedByWeights = false;
      return;
    }
    if (along.includes(axis)) {
      for (const id of node.inputs) this.whole(id);
      return;
    }
    for (const id of node.outputs) if (hasAxis(this.type(id), axis)) this.shared.set(id, axis);
  }

  /** Work that may be done to partial sums before they are added up, and that makes no more of them. */
  private passesOn(node: Node): boolean {
    const sums = node.inputs.filter((id) => this.partial.has(id));
    const others = node.inputs.filter((id) => !this.partial.has(id));
    const linear = node.op === "put" || (node.op === "map" && node.attributes.fn === "mul");
    if (!linear || sums.length !== 1 || others.some((id) => this.shared.has(id))) return false;
    if (this.uses.get(sums[0]!) !== 1) return false;
    if (elementCount(this.type(node.outputs[0]!)) > elementCount(this.type(sums[0]!))) return false;
    for (const id of others) if (this.type(id).dtype === "float") this.enter(id);
    this.partial.delete(sums[0]!);
    this.partial.add(node.outputs[0]!);
    return true;
  }

  /** The axis that the op's work is shared out along; null when all devices do all of it. */
  private axisOf(node: Node): string | null {
    const shared = node.inputs.flatMap((id) => this.shared.get(id) ?? []);
    const made = node.outputs.flatMap((id) => this.type(id).axes.map(({ name }) => name));
    const kept = shared.find((name) => made.includes(name));
    const weight = node.inputs.find((id) => this.parameters.has(id));
    // a linear map onto the axis shares it out, whether or not what it maps is shared out along another
    const mapped =
      weight === undefined
        ? undefined
        : this.type(weight).axes.find(
            ({ name }) => this.names.has(baseName(name)) && made.includes(name),
          )?.name;
    return kept ?? mapped ?? shared[0] ?? null;
  }

  /** A weight is cut; a value that every device has is read in part. */
  private share(id: ValueId, axis: string): void {
    if (this.parameters.has(id)) this.shared.set(id, axis);
    else this.enter(id);
  }

  private enter(id: ValueId): void {
    if (!this.varying.has(id)) return;
    const source = this.sources.get(id) ?? id;
    if (this.parameters.has(source)) this.weightIds.add(source);
    else this.enteringIds.add(source);
  }

  private rename(from: ValueId, to: ValueId, names: Readonly<Record<string, string>>): void {
    if (this.partial.has(from)) {
      if (this.uses.get(from) === 1 && this.partial.delete(from)) this.partial.add(to);
      else this.whole(from);
    }
    const axis = this.shared.get(from);
    if (axis !== undefined) this.shared.set(to, names[axis] ?? axis);
    if (this.varying.has(from)) this.varying.add(to);
    this.sources.set(to, this.sources.get(from) ?? from);
  }

  private type(id: ValueId): TensorType {
    return this.graph.values[id]!.type;
  }
}
