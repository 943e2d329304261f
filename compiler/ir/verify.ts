/**
 * Holds a module to the rules of the IR: what every pass may rely on, and must leave behind.
 *
 * A value has one definition, before its uses; its type is what the shape rule of its op says; an op
 * stands only at its level; functions are called with what they declare. Problems are sentences, so that
 * a test can show all of them; `compile.ts` asks after every pass when LSM_DEBUG is set.
 */

import {
  type Graph,
  type Module,
  type Node,
  type NodeOf,
  type ValueId,
  allResults,
} from "./graph.js";
import { type OpName, tokenOps } from "./ops.js";
import { shapeRules } from "./shapes.js";
import { type TensorType, InternalFault, sameAxes, showType, withoutAxes } from "./types.js";

/** What has happened to a module: built by 1-check, lowered, its forms chosen, differentiated. */
export type Level = "token" | "lowered" | "formed" | "differentiated";

/** Ops that the parallel forms are written without. */
const formedAway: ReadonlySet<OpName> = new Set(["attend", "delay", "rotate", "slot_positions"]);
/** Ops that only gradients are made of. */
const gradientOps: ReadonlySet<OpName> = new Set(["conv_input_gradient", "conv_weight_gradient"]);
const atToken: ReadonlySet<OpName> = new Set(tokenOps);

function allowed(op: OpName, level: Level): boolean {
  if (op === "adamw" || op === "muon") return false; // the optimiser is a step of the program
  if (atToken.has(op) || op === "scan") return (level === "token") === (op !== "scan");
  if (formedAway.has(op))
    return level === "token" ? op === "attend" || op === "rotate" : level === "lowered";
  return !gradientOps.has(op) || level === "differentiated";
}

/** Every broken rule of a module, as sentences; none when it is sound. */
export function verify(module: Module, level: Level): readonly string[] {
  const problems: string[] = [];
  if (!module.functions.has(module.main)) problems.push(`there is no function ${module.main}`);
  for (const [name, graph] of module.functions) {
    const namesOf = {
      inputs: graph.inputs.map((port) => port.name),
      results: graph.outputs.map((port) => port.name),
      penalties: graph.penalties.map((port) => port.name),
      updates: graph.updates.map(({ path }) => path),
      metrics: graph.metrics.map((port) => port.name),
    };
    for (const [what, names] of Object.entries(namesOf))
      if (new Set(names).size !== names.length) problems.push(`${name}: two ${what} of one name`);
    new GraphVerifier(module, graph, level, (text) => problems.push(`${name}: ${text}`)).run();
  }
  return problems;
}

class GraphVerifier {
  private readonly defined = new Set<ValueId>();

  constructor(
    private readonly module: Module,
    private readonly graph: Graph,
    private readonly level: Level,
    private readonly problem: (text: string) => void,
  ) {}

  run(): void {
    const { graph } = this;
    for (const { value } of [...graph.inputs, ...graph.parameters]) this.define(value);
    for (const node of graph.nodes) this.node(node);
    for (const port of [...graph.outputs, ...graph.penalties, ...graph.metrics])
      this.use(port.value, `the result ${port.name}`);
    for (const { path, value } of graph.updates) this.use(value, `the update of ${path}`);
    if (new Set(graph.parameters.map(({ path }) => path)).size !== graph.parameters.length)
      this.problem("two parameters of one path");
  }

  private type(id: ValueId): TensorType {
    return this.graph.values[id]!.type;
  }

  private define(id: ValueId): void {
    if (this.defined.has(id)) this.problem(`%${id} is defined twice`);
    this.defined.add(id);
    const { axes } = this.type(id);
    if (new Set(axes.map(({ name }) => name)).size !== axes.length)
      this.problem(`%${id} has two axes of one name: ${showType(this.type(id))}`);
    if (axes.some(({ size }) => !Number.isSafeInteger(size) || size < 1))
      this.problem(`%${id} has a size that is none: ${showType(this.type(id))}`);
  }

  private use(id: ValueId, by: string): boolean {
    if (this.defined.has(id)) return true;
    this.problem(`${by} reads %${id}, which is not defined before`);
    return false;
  }

  private node(node: Node): void {
    if (!allowed(node.op, this.level)) this.problem(`${node.op} in a ${this.level} graph`);
    const known = node.inputs.every((id) => this.use(id, node.op));
    node.outputs.forEach((id) => this.define(id));
    if (!known) return;
    const inputs = node.inputs.map((id) => this.type(id));
    this.same(node, this.expected(node, inputs));
    if (node.op === "scan") this.scan(node, inputs);
  }

  /** The types of a node's outputs; null where only the node itself knows them. */
  private expected(node: Node, inputs: readonly TensorType[]): readonly TensorType[] | null {
    if (node.op === "call") return this.call(node, inputs);
    if (node.op === "state") {
      const state = this.graph.states.find(({ name }) => name === node.attributes.state);
      if (!state) this.problem(`there is no state ${node.attributes.state}`);
      return state ? [{ dtype: "float", axes: state.axes }] : null;
    }
    const rule = shapeRules[node.op] as (
      attributes: unknown,
      inputs: readonly TensorType[],
    ) => readonly TensorType[];
    try {
      return rule(node.attributes, inputs);
    } catch (error) {
      if (!(error instanceof InternalFault)) throw error;
      this.problem(`${node.op}: ${error.message}`);
      return null;
    }
  }

  private same(node: Node, expected: readonly TensorType[] | null): void {
    if (expected === null) return;
    const found = node.outputs.map((id) => this.type(id));
    if (equalTypes(found, expected)) return;
    this.problem(`${node.op} gives ${shown(expected)}, but is declared as ${shown(found)}`);
  }

  private call(node: NodeOf<"call">, inputs: readonly TensorType[]): readonly TensorType[] | null {
    const callee = this.module.functions.get(node.attributes.callee);
    if (!callee) {
      this.problem(`there is no function ${node.attributes.callee}`);
      return null;
    }
    const typesOf = (ports: readonly { readonly value: ValueId }[]): TensorType[] =>
      ports.map(({ value }) => callee.values[value]!.type);
    const declared = typesOf(callee.inputs);
    if (!equalTypes(inputs, declared))
      this.problem(`${callee.name} takes ${shown(declared)} and is given ${shown(inputs)}`);
    // at the token level losses, updates and metrics are not yet results of the call
    return typesOf(this.level === "token" ? callee.outputs : allResults(callee));
  }

  private scan(node: NodeOf<"scan">, inputs: readonly TensorType[]): void {
    const { axis, body, states, sequences, resets, restart } = node.attributes;
    const report = (text: string): void => {
      this.problem(`scan ${body.name}: ${text}`);
    };
    new GraphVerifier(this.module, body, this.level, report).run();
    const first = states + (resets ? 1 : 0);
    const step = ({ dtype, axes }: TensorType): TensorType => ({
      dtype,
      axes: withoutAxes(axes, [axis]),
    });
    const given = [
      ...inputs.slice(0, states),
      ...inputs.slice(first, first + sequences).map(step),
      ...inputs.slice(first + sequences),
    ];
    const declared = body.inputs.map(({ value }) => body.values[value]!.type);
    if (!equalTypes(given, declared))
      report(`its body takes ${shown(declared)} and is given ${shown(given)}`);
    const next = body.outputs.slice(0, states).map(({ value }) => body.values[value]!.type);
    if (!equalTypes(next, inputs.slice(0, states)))
      report(`states ${shown(inputs.slice(0, states))} become ${shown(next)}`);
    if (restart.length !== states) report(`${states} states and ${restart.length} restarts`);
  }
}

const equalTypes = (a: readonly TensorType[], b: readonly TensorType[]): boolean =>
  a.length === b.length &&
  a.every(({ dtype, axes }, i) => dtype === b[i]!.dtype && sameAxes(axes, b[i]!.axes));

const shown = (types: readonly TensorType[]): string => `(${types.map(showType).join(", ")})`;
