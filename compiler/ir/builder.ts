/**
 * Builds graphs: applies shape rules, folds constants, and gives an op that already exists instead of a
 * second one. The short methods (`add`, `mul`, `sum`, …) keep the rewriting phases readable.
 */

import type { Span } from "../../grammar/ast.js";
import type {
  Graph,
  Node,
  ParameterPort,
  Port,
  StateInfo,
  Update,
  Value,
  ValueId,
} from "./graph.js";
import type { Initializer } from "./initializer.js";
import type { OpAttributes, OpName } from "./ops.js";
import { printData } from "./print.js";
import { type ScalarFunction, scalarFunctions } from "./scalar-functions.js";
import { shapeRules } from "./shapes.js";
import { type Axis, type TensorType, hasAxis, sameAxes, scalar, withoutAxes } from "./types.js";

/** Ops whose meaning depends on where they stand, so that two alike are not one. */
const ordered: ReadonlySet<OpName> = new Set(["state", "write", "call", "scan"]);

export class GraphBuilder {
  readonly values: Value[] = [];
  readonly nodes: Node[] = [];
  readonly inputs: Port[] = [];
  readonly parameters: ParameterPort[] = [];
  readonly outputs: Port[] = [];
  readonly penalties: Port[] = [];
  readonly updates: Update[] = [];
  readonly metrics: Port[] = [];
  readonly states: StateInfo[] = [];
  /** Where new values come from in the user's file. */
  span: Span | null = null;
  /** Which value of the token graph new values are made for. */
  origin: ValueId | null = null;
  /** The mix region new nodes belong to. */
  region: number | null = null;

  private regions = 0;
  private readonly known = new Map<string, readonly ValueId[]>();
  private readonly constants = new Map<ValueId, number>();
  private readonly producers: (Node | undefined)[] = []; // by value

  constructor(readonly name: string) {}

  /** Starts a new mix region and makes it the current one. */
  openRegion(): number {
    this.region = this.regions;
    this.regions += 1;
    return this.region;
  }

  type(id: ValueId): TensorType {
    return this.values[id]!.type;
  }

  size(id: ValueId, axis: string): number {
    const found = this.type(id).axes.find((a) => a.name === axis);
    return found ? found.size : 1;
  }

  /** The node that makes a value; inputs and parameters have none. */
  producer(id: ValueId): Node | undefined {
    return this.producers[id];
  }

  constantOf(id: ValueId): number | undefined {
    return this.constants.get(id);
  }

  /** A fresh value without a node: inputs, parameters and the outputs of ops. */
  value(type: TensorType, name: string | null = null): ValueId {
    this.values.push({ type, name, span: this.span, origin: this.origin });
    return this.values.length - 1;
  }

  input(name: string, type: TensorType): ValueId {
    const value = this.value(type, name);
    this.inputs.push({ name, value });
    return value;
  }

  parameter(
    path: string,
    type: TensorType,
    initializer: Initializer,
    trainable = true,
    decay = true,
  ): ValueId {
    const value = this.value(type, path);
    this.parameters.push({ path, value, initializer, trainable, decay, region: this.region });
    return value;
  }

  /** Adds a loss beside the model's own, under a name that no other has. */
  penalty(name: string, value: ValueId): void {
    this.penalties.push({ name: unused(name, this.penalties), value });
  }

  /** Reports a measurement of each step, under a name that no other has. */
  metric(name: string, value: ValueId): void {
    this.metrics.push({ name: unused(name, this.metrics), value });
  }

  /** Gives a buffer its value after the step; of several that share a buffer the last one does. */
  update(path: string, value: ValueId): void {
    const at = this.updates.findIndex((other) => other.path === path);
    if (at >= 0) this.updates.splice(at, 1);
    this.updates.push({ path, value });
  }

  /** Names a value for people, unless it has a name. */
  label(id: ValueId, name: string): ValueId {
    const value = this.values[id]!;
    if (value.name === null) this.values[id] = { ...value, name };
    return id;
  }

  /** Says where a value comes from in the user's file. */
  locate(id: ValueId, span: Span): void {
    this.values[id] = { ...this.values[id]!, span };
  }

  /** Adds a node with given output types: for calls, states and copies of nodes. */
  node<Op extends OpName>(
    op: Op,
    attributes: OpAttributes[Op],
    inputs: readonly ValueId[],
    types: readonly TensorType[],
  ): readonly ValueId[] {
    const key = ordered.has(op)
      ? null
      : `${op} ${inputs.join()} ${this.region} ${printData(attributes)}`;
    const existing = key === null ? undefined : this.known.get(key);
    if (existing) return existing;
    const outputs = types.map((type) => this.value(type));
    const node = { op, attributes, inputs, outputs, region: this.region } as unknown as Node;
    this.nodes.push(node);
    for (const id of outputs) this.producers[id] = node;
    if (key !== null) this.known.set(key, outputs);
    return outputs;
  }

  /** Adds any op by its shape rule; several outputs. */
  ops<Op extends OpName>(
    op: Op,
    attributes: OpAttributes[Op],
    inputs: readonly ValueId[],
  ): readonly ValueId[] {
    const rule = shapeRules[op] as (
      a: OpAttributes[Op],
      t: readonly TensorType[],
    ) => readonly TensorType[];
    return this.node(
      op,
      attributes,
      inputs,
      rule(
        attributes,
        inputs.map((id) => this.type(id)),
      ),
    );
  }

  /** Adds any op by its shape rule; one output. */
  op<Op extends OpName>(op: Op, attributes: OpAttributes[Op], inputs: readonly ValueId[]): ValueId {
    return this.ops(op, attributes, inputs)[0]!;
  }

  constant(value: number): ValueId {
    const id = this.op("constant", { value }, []);
    this.constants.set(id, value);
    return id;
  }

  map(fn: ScalarFunction, ...inputs: ValueId[]): ValueId {
    const constants = inputs.map((id) => this.constants.get(id));
    if (constants.every((c) => c !== undefined) && fn !== "to_int") {
      const [a = 0, b = 0, c = 0] = constants;
      const folded = scalarFunctions[fn].evaluate(a, b, c);
      if (Number.isFinite(folded)) return this.constant(folded);
    }
    return this.identity(fn, inputs, constants) ?? this.op("map", { fn }, inputs);
  }

  /** x·1, x/1, x+0, x−0 and x¹ are x. */
  private identity(
    fn: ScalarFunction,
    inputs: readonly ValueId[],
    constants: readonly (number | undefined)[],
  ): ValueId | null {
    const [a, b] = inputs;
    const [ca, cb] = constants;
    if (a === undefined || b === undefined) return null;
    if ((fn === "mul" || fn === "div" || fn === "pow") && cb === 1) return a;
    if (fn === "mul" && ca === 1) return b;
    if ((fn === "add" || fn === "sub") && cb === 0) return a;
    if (fn === "add" && ca === 0) return b;
    return null;
  }

  add = (a: ValueId, b: ValueId): ValueId => this.map("add", a, b);
  sub = (a: ValueId, b: ValueId): ValueId => this.map("sub", a, b);
  mul = (a: ValueId, b: ValueId): ValueId => this.map("mul", a, b);
  div = (a: ValueId, b: ValueId): ValueId => this.map("div", a, b);
  neg = (a: ValueId): ValueId => this.map("neg", a);
  exp = (a: ValueId): ValueId => this.map("exp", a);

  iota(axis: Axis): ValueId {
    return this.op("iota", { axis: { name: axis.name, size: axis.size } }, []);
  }

  sum(x: ValueId, over: readonly string[]): ValueId {
    return over.length === 0 ? x : this.op("reduce", { fn: "sum", over }, [x]);
  }

  max(x: ValueId, over: readonly string[]): ValueId {
    return over.length === 0 ? x : this.op("reduce", { fn: "max", over }, [x]);
  }

  /** Contracts the axes of `over`; one that a side lacks is summed on the other first. */
  dot(a: ValueId, b: ValueId, over: readonly string[]): ValueId {
    const inA = over.filter((name) => hasAxis(this.type(a), name));
    const inB = over.filter((name) => hasAxis(this.type(b), name));
    const shared = inA.filter((name) => inB.includes(name));
    const left = this.sum(
      a,
      inA.filter((name) => !shared.includes(name)),
    );
    const right = this.sum(
      b,
      inB.filter((name) => !shared.includes(name)),
    );
    return shared.length === 0
      ? this.mul(left, right)
      : this.op("dot", { over: shared }, [left, right]);
  }

  rename(x: ValueId, names: Readonly<Record<string, string>>): ValueId {
    const own = Object.entries(names).filter(
      ([from, to]) => from !== to && hasAxis(this.type(x), from),
    );
    return own.length === 0 ? x : this.op("rename", { names: Object.fromEntries(own) }, [x]);
  }

  slice(x: ValueId, axis: string, start: number, size: number): ValueId {
    if (start === 0 && size === this.size(x, axis)) return x;
    return this.op("slice", { axis, start, size }, [x]);
  }

  pad(x: ValueId, axis: string, before: number, after: number): ValueId {
    return before === 0 && after === 0 ? x : this.op("pad", { axis, before, after }, [x]);
  }

  /** Exactly these axes in this order: sums what is not wanted, repeats what is missing. */
  conform(x: ValueId, axes: readonly Axis[]): ValueId {
    const wanted = axes.map((axis) => axis.name);
    const extra = withoutAxes(this.type(x).axes, wanted).map((axis) => axis.name);
    const reduced = this.sum(x, extra);
    if (sameAxes(this.type(reduced).axes, axes)) return reduced;
    const plain = axes.map(({ name, size }) => ({ name, size }));
    return this.op("expand", { axes: plain }, [reduced]);
  }

  zeros(axes: readonly Axis[]): ValueId {
    return this.conform(this.constant(0), axes);
  }

  finish(): Graph {
    const { name, values, inputs, parameters, nodes, outputs, penalties, updates } = this;
    const { metrics, states } = this;
    return {
      name,
      values,
      inputs,
      parameters,
      nodes,
      outputs,
      penalties,
      updates,
      metrics,
      states,
    };
  }
}

/** `name`, or with the first number from 2 that makes it another than those there are. */
function unused(name: string, ports: readonly Port[]): string {
  let own = name;
  for (let count = 2; ports.some((port) => port.name === own); count += 1) own = `${name}_${count}`;
  return own;
}

export { scalar };
