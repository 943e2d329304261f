/**
 * What an emitted function does, step by step: nodes of the graph, and what is written shorter in PyTorch
 * than as single nodes. Renames are no steps: a tensor's axes have names only while we compile.
 */

import { type Graph, type Node, type NodeOf, type ValueId, allResults } from "../../ir/graph.js";
import { type Axis, hasAxis, sameAxes } from "../../ir/types.js";
import type { LeafModules } from "./leaves.js";

/** Steps that no single op is. */
export interface FusedAttributes {
  /** (x) → the linear layer at `path`, with its bias if it has one */
  linear: { readonly path: string; readonly inner: readonly Axis[] };
  /** (x, ids) → every slot through its own expert's linear layer at `path` */
  experts: { readonly path: string; readonly inner: readonly Axis[] };
  /** (x, gate?) → the norm at `path`, times silu(gate) */
  rms_norm: { readonly path: string; readonly over: readonly Axis[] };
  /** (x, positions) → the short convolution at `path`, behind it silu if asked for, and an l2 norm times `norm` */
  short_conv: { readonly path: string; readonly silu: boolean; readonly norm: number | null };
  /** (S₀, positions, q, log Λ if gated, k, v, β, p if erasing by another key) → the delta rule's y */
  delta_rule: NodeOf<"recurrence">["attributes"] & { readonly erasing: boolean };
  /** (x) → scale · a / √(Σ a² + ε) along its last axis, a being x or silu(x) */
  l2_norm: { readonly epsilon: number; readonly silu: boolean; readonly scale: number };
  /** (x) → x · sigmoid(x) */
  silu: Record<never, never>;
  /** (gate, up) → silu(gate) · up */
  silu_mul: Record<never, never>;
  /** (x) → max(scale · log sigmoid(x), least) */
  log_sigmoid: { readonly scale: number; readonly least: number | null };
  /** (x, order) → the row of every slot's token */
  dispatch: { readonly picks: number };
  /** (y, weights, order) → Σ over a token's slots of weight · y */
  combine: { readonly picks: number; readonly time: Axis };
  /** (x, weights, order, ids) → the same of SwiGLU experts, from dispatch to combine, of layers at these paths */
  routed_swiglu: {
    readonly picks: number;
    readonly gate: string;
    readonly up: string;
    readonly down: string;
  };
  /** (x) → softmax along an axis */
  softmax: { readonly over: readonly string[] };
  /** (x) → log Σ exp(x) along an axis */
  logsumexp: { readonly over: readonly string[] };
  /** (x, angle) → the pairs (x_i, x_{i + n/2}) of an axis rotated by angles along `pairs` */
  rotate: { readonly axis: string; readonly pairs: string };
  /** (x) → mean along axes */
  mean: { readonly over: readonly string[] };
  /** (a) → ⌊a / by⌋ of indices */
  quotient: { readonly by: number };
  /** (logits, targets) → −log softmax(logits)[target] */
  cross_entropy: { readonly axis: string };
  /** (x, targets, weights?) → the same of the linear layer at `path`, whose logits are never held for all tokens */
  linear_cross_entropy: { readonly path: string; readonly inner: readonly Axis[] };
}

export type FusedStep = {
  [Op in keyof FusedAttributes]: {
    readonly op: Op;
    readonly fused: true;
    readonly attributes: FusedAttributes[Op];
    readonly inputs: readonly ValueId[];
    readonly outputs: readonly ValueId[];
  };
}[keyof FusedAttributes];

export type Step = FusedStep | Node;

export function fused<Op extends keyof FusedAttributes>(
  op: Op,
  attributes: FusedAttributes[Op],
  inputs: readonly ValueId[],
  output: ValueId,
): FusedStep {
  return { op, fused: true, attributes, inputs, outputs: [output] } as unknown as FusedStep;
}

export const isFused = (step: Step): step is FusedStep => "fused" in step;

/** Looks at a graph's nodes from their results: who makes a value, and how many use it. */
export class GraphView {
  private readonly producers = new Map<ValueId, Node>();
  private readonly uses = new Map<ValueId, number>();

  constructor(
    readonly graph: Graph,
    readonly leaves: LeafModules,
  ) {
    const use = (id: ValueId): void => {
      this.uses.set(id, (this.uses.get(id) ?? 0) + 1);
    };
    for (const node of graph.nodes) {
      for (const id of node.outputs) this.producers.set(id, node);
      node.inputs.forEach(use);
    }
    for (const { value } of allResults(graph)) use(value);
  }

  axes(id: ValueId): readonly Axis[] {
    return this.graph.values[id]!.type.axes;
  }

  /** The node that makes a value, seen through renames. */
  producer(id: ValueId): Node | undefined {
    return this.producers.get(this.source(id));
  }

  /** The value behind renames, and behind repetitions that change nothing. */
  source(id: ValueId): ValueId {
    const node = this.producers.get(id);
    if (node?.op === "rename") return this.source(node.inputs[0]!);
    const [x] = node?.inputs ?? [];
    return node?.op === "expand" && sameAxes(this.axes(x!), this.axes(id)) ? this.source(x!) : id;
  }

  usedOnce(id: ValueId): boolean {
    return this.used(id, 1);
  }

  used(id: ValueId, times: number): boolean {
    return this.uses.get(id) === times;
  }

  constant(id: ValueId): number | null {
    const node = this.producer(id);
    return node?.op === "constant" ? node.attributes.value : null;
  }

  /** True for the constant that a recurrence begins with: its kernel makes it itself. */
  isStart(id: ValueId): boolean {
    const node = this.producer(id);
    if (node?.op !== "expand" || this.constant(node.inputs[0]!) === null) return false;
    const source = this.source(id);
    const users = this.graph.nodes.filter(({ inputs }) =>
      inputs.some((input) => this.source(input) === source),
    );
    return users.every(
      ({ op, inputs }) =>
        (op === "recurrence" || op === "state_scan" || op === "selective_scan") &&
        this.source(inputs[0]!) === source,
    );
  }

  /** The inputs of the elementwise function that makes a value. */
  map(id: ValueId, fn: string): readonly ValueId[] | null {
    const node = this.producer(id);
    return node?.op === "map" && node.attributes.fn === fn ? node.inputs : null;
  }

  /** The same for a commutative function: both orders of its inputs. */
  pairs(id: ValueId, fn: string): readonly (readonly [ValueId, ValueId])[] {
    const found = this.map(id, fn);
    return found
      ? [
          [found[0]!, found[1]!],
          [found[1]!, found[0]!],
        ]
      : [];
  }

  same(a: ValueId, b: ValueId): boolean {
    return this.source(a) === this.source(b);
  }

  /** What is reduced, and over which axes. */
  reduce(id: ValueId, fn: "sum" | "max"): { x: ValueId; over: readonly string[] } | null {
    const node = this.producer(id);
    if (node?.op !== "reduce" || node.attributes.fn !== fn) return null;
    return { x: node.inputs[0]!, over: node.attributes.over };
  }

  /** What a mean is of. */
  mean(id: ValueId): { x: ValueId; over: readonly string[] } | null {
    for (const [sum, by] of this.pairs(id, "mul")) {
      const found = this.reduce(sum, "sum");
      const share = this.constant(by);
      if (!found || share === null) continue;
      const count = this.axes(found.x)
        .filter(({ name }) => found.over.includes(name))
        .reduce((n, { size }) => n * size, 1);
      if (share === 1 / count || Math.abs(share * count - 1) < 1e-14) return found;
    }
    return null;
  }

  readonly parameterPath = (id: ValueId): string | null => {
    const source = this.source(id);
    return this.graph.parameters.find(({ value }) => value === source)?.path ?? null;
  };

  varies(id: ValueId): boolean {
    return hasAxis(this.graph.values[id]!.type, "batch");
  }
}
