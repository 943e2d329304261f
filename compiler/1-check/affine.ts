/**
 * How the values of a step depend on its states: not at all, affinely, or in a way that has no parallel form.
 *
 * What is affine in all states of the cycle together can be brought into a normal form; so can a maximum of a
 * state and what it is given, and a sum modulo a number. Beside that, an affine value's elementwise part is
 * followed: between what numbers lies the factor by which it has a state's own elements in it.
 */

import { type Bounds, type Origins, anything, boundsOf, product, sumOf } from "../ir/bounds.js";
import type { Graph, Node, NodeOf, ValueId } from "../ir/graph.js";
import type { OpName } from "../ir/ops.js";
import type { StepCycle } from "../ir/steps.js";

/** The factor by which a value has a state's elements in it. */
export interface Factor extends Bounds {
  /** A value that makes it larger than 1; null where none alone does. */
  readonly grows: ValueId | null;
}

export interface Affine {
  readonly kind: "affine";
  readonly factors: ReadonlyMap<string, Factor>; // by state
  readonly elementwise: boolean; // without reads
}

/** The first term on the way that is not affine. */
export interface Fault {
  readonly kind: "fault";
  readonly node: number; // index in the graph
  /** What it does to the states, for which `%` stands. */
  readonly what: string;
  readonly states: readonly string[];
}

type Dependence =
  | { readonly kind: "free" }
  | Affine
  | { readonly kind: "maximum"; readonly fn: "maximum" | "minimum" }
  | { readonly kind: "modulo" }
  | Fault;

/** What one cycle's step was found to be: for each of its states the faults of its writes, and its own factor in the end. */
export interface StepShape {
  readonly faults: ReadonlyMap<string, Fault>;
  readonly factors: ReadonlyMap<string, Factor>;
}

const one: Factor = { low: 1, high: 1, grows: null };
const none: Bounds = { low: 0, high: 0 };
const free: Dependence = { kind: "free" };
const read: Affine = { kind: "affine", factors: new Map(), elementwise: false };

/** Ops through which a state goes element by element or in sums. */
const linear: ReadonlySet<OpName> = new Set<OpName>([
  "rename",
  "split",
  "merge",
  "slice",
  "pad",
  "shift",
  "concat",
  "lag",
]);

export function shapeOf(graph: Graph, { states, nodes }: StepCycle, origins: Origins): StepShape {
  return new StepAnalysis(graph, states.length === 1, origins).run(nodes);
}

class StepAnalysis {
  private readonly found = new Map<ValueId, Dependence>();
  private readonly reads = new Map<ValueId, ReadonlySet<string>>(); // which states a value depends on
  private readonly bounds = new Map<ValueId, Bounds>();

  constructor(
    private readonly graph: Graph,
    private readonly alone: boolean,
    private readonly origins: Origins,
  ) {}

  run(nodes: readonly number[]): StepShape {
    const { graph, found, reads } = this;
    const faults = new Map<string, Fault>();
    const factors = new Map<string, Factor>();
    for (const at of nodes) {
      const node = graph.nodes[at]!;
      reads.set(node.outputs[0]!, this.readsOf(node));
      if (node.op !== "write") {
        found.set(node.outputs[0]!, this.apply(node, at));
        continue;
      }
      const { state, chunk } = node.attributes;
      const written = this.of(node.inputs[0]!);
      // what is not affine is taken at the chunk's start
      if (written.kind === "fault" && chunk === null && !faults.has(state))
        faults.set(state, written);
      found.set(node.outputs[0]!, written.kind === "fault" || chunk !== null ? read : written);
      factors.delete(state);
      if (written.kind === "affine" && chunk === null)
        factors.set(state, written.factors.get(state) ?? { ...none, grows: null });
    }
    return { faults, factors };
  }

  private of(id: ValueId): Dependence {
    return this.found.get(id) ?? free;
  }

  private readsOf(node: Node): ReadonlySet<string> {
    if (node.op === "state") return new Set([node.attributes.state]);
    return new Set(node.inputs.flatMap((id) => [...(this.reads.get(id) ?? [])]));
  }

  private apply(node: Node, at: number): Dependence {
    const inputs = node.inputs.map((id) => this.of(id));
    const fault = inputs.find((each) => each.kind === "fault");
    if (fault) return fault;
    if (node.op === "state")
      return {
        kind: "affine",
        factors: new Map([[node.attributes.state, one]]),
        elementwise: true,
      };
    if (inputs.every(({ kind }) => kind === "free")) return free;
    const wrong = (what: string): Fault => ({
      kind: "fault",
      node: at,
      what,
      states: [...this.reads.get(node.outputs[0]!)!],
    });
    if (node.op === "map") return this.map(node, inputs, wrong);
    const [first] = inputs.filter(({ kind }) => kind !== "free");
    if (first!.kind === "modulo") return wrong("%, changed after `mod`");
    if (first!.kind === "maximum") return wrong("a maximum of %, used by something else");
    if (node.op === "expand") return first!;
    if (linear.has(node.op)) return read;
    if (node.op === "reduce")
      return node.attributes.fn === "sum" ? read : wrong("the largest element of %");
    const several = inputs.filter(({ kind }) => kind !== "free").length > 1;
    if (node.op === "dot")
      return several ? wrong("a product of two values that depend on %") : read;
    if (node.op === "rotate")
      return inputs[1]!.kind === "free"
        ? first!
        : wrong("a rotation by an angle that depends on %");
    return wrong(`\`${node.op}\` of %`);
  }

  private map(
    node: NodeOf<"map">,
    inputs: readonly Dependence[],
    wrong: (what: string) => Fault,
  ): Dependence {
    const { fn } = node.attributes;
    const [x, y = free, z = free] = inputs as [Dependence, Dependence?, Dependence?];
    const [left, right] = node.inputs as [ValueId, ValueId];
    if (fn === "maximum" || fn === "minimum") return this.maximum(fn, x, y, wrong);
    const maximum = inputs.find(({ kind }) => kind === "maximum");
    if (maximum)
      return inputs.length === 2 &&
        (fn === "add" || (fn === "sub" && y.kind === "free")) &&
        inputs.some(({ kind }) => kind === "free")
        ? maximum
        : wrong("a maximum of %, used by something else");
    if (fn === "mod") return this.modulo(node, x, y, wrong);
    if (inputs.some(({ kind }) => kind === "modulo")) return wrong("%, changed after `mod`");
    if (fn === "neg") return scaled(x, { low: -1, high: -1 }, null);
    if (fn === "add") return this.sum(x, y);
    if (fn === "sub") return this.sum(x, scaled(y, { low: -1, high: -1 }, null));
    if (fn === "mul") {
      if (x.kind !== "free" && y.kind !== "free")
        return wrong("a product of two values that depend on %");
      return x.kind === "free" ? this.times(y, left) : this.times(x, right);
    }
    if (fn === "div") {
      if (y.kind !== "free") return wrong("a division by a value that depends on %");
      return scaled(x, anything, null);
    }
    if (fn === "select") return x.kind === "free" ? chosen(y, z) : wrong("a condition on %");
    return wrong(`\`${fn}\` of a value that depends on %`);
  }

  private times(x: Dependence, by: ValueId): Dependence {
    const bounds = boundsOf(this.origins, by, this.bounds);
    return scaled(x, bounds, bounds.high > 1 || bounds.low < -1 ? by : null);
  }

  private sum(x: Dependence, y: Dependence): Dependence {
    if (x.kind !== "affine") return y;
    if (y.kind !== "affine") return x;
    const names = new Set([...x.factors.keys(), ...y.factors.keys()]);
    return {
      kind: "affine",
      elementwise: x.elementwise && y.elementwise,
      factors: new Map(
        [...names].map((name) => {
          const [a, b] = [x.factors.get(name), y.factors.get(name)];
          return [name, { ...sumOf(a ?? none, b ?? none), grows: a?.grows ?? b?.grows ?? null }];
        }),
      ),
    };
  }

  /** max(S + f, i) is affine where a maximum is the sum; so are further ones of the same kind. */
  private maximum(
    fn: "maximum" | "minimum",
    x: Dependence,
    y: Dependence,
    wrong: (what: string) => Fault,
  ): Dependence {
    const [state, other] = x.kind === "free" ? [y, x] : [x, y];
    const same = state.kind === "maximum" && state.fn === fn;
    const plain =
      state.kind === "affine" &&
      state.elementwise &&
      [...state.factors.values()].every(({ low, high }) => low === 1 && high === 1);
    if (this.alone && other.kind === "free" && (same || plain)) return { kind: "maximum", fn };
    return wrong(`\`${fn === "maximum" ? "max" : "min"}\` of a value that depends on %`);
  }

  private modulo(
    { inputs }: NodeOf<"map">,
    x: Dependence,
    by: Dependence,
    wrong: (what: string) => Fault,
  ): Dependence {
    const size = boundsOf(this.origins, inputs[1]!, this.bounds);
    const constant = size.low === size.high && size.low > 0;
    const plain =
      x.kind === "affine" &&
      x.elementwise &&
      [...x.factors.values()].every(({ low, high }) => low === 1 && high === 1);
    return this.alone && plain && by.kind === "free" && constant
      ? { kind: "modulo" }
      : wrong("`mod` of a value that depends on %");
  }
}

function scaled(x: Dependence, by: Bounds, grows: ValueId | null): Dependence {
  if (x.kind !== "affine") return x;
  return {
    ...x,
    elementwise: x.elementwise,
    factors: new Map(
      [...x.factors].map(([name, factor]) => [
        name,
        { ...product(factor, by), grows: grows ?? factor.grows },
      ]),
    ),
  };
}

/** One of two by a condition. */
function chosen(x: Dependence, y: Dependence): Dependence {
  if (x.kind !== "affine" && x.kind !== "free") return x;
  if (y.kind !== "affine" && y.kind !== "free") return y;
  const [a, b] = [x, y].map((each) =>
    each.kind === "affine" ? each : { ...read, elementwise: true },
  );
  const names = new Set([...a!.factors.keys(), ...b!.factors.keys()]);
  return {
    kind: "affine",
    elementwise: a!.elementwise && b!.elementwise,
    factors: new Map(
      [...names].map((name) => {
        const [left, right] = [a!.factors.get(name) ?? none, b!.factors.get(name) ?? none];
        const [low, high] = [Math.min(left.low, right.low), Math.max(left.high, right.high)];
        return [name, { low, high, grows: null }];
      }),
    ),
  };
}
