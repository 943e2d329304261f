/** A token graph under copy: node by node, with its regions, names and places, and with states beside. */

import { GraphBuilder } from "../ir/builder.js";
import type { Graph, Node, ValueId } from "../ir/graph.js";
import { InternalFault } from "../ir/types.js";

export class TokenCopy {
  readonly builder: GraphBuilder;
  private readonly known = new Map<ValueId, ValueId>();
  private readonly starts = new Map<string, ValueId>();

  constructor(private readonly graph: Graph) {
    this.builder = new GraphBuilder(graph.name);
    const { builder, known } = this;
    for (const { name, value } of graph.inputs) {
      builder.span = graph.values[value]!.span;
      known.set(value, builder.input(name, graph.values[value]!.type));
    }
    for (const { path, value, initializer, trainable, decay, region } of graph.parameters) {
      builder.span = graph.values[value]!.span;
      builder.region = region;
      const { type, name } = graph.values[value]!;
      const id = builder.parameter(path, type, initializer, trainable, decay);
      builder.values[id] = { ...builder.values[id]!, name };
      known.set(value, id);
    }
    builder.states.push(...graph.states);
  }

  /** A value's copy. */
  value(id: ValueId): ValueId {
    return this.known.get(id)!;
  }

  /** New nodes stand where `node` stands. */
  at(node: Node): void {
    this.builder.region = node.region;
    this.builder.span = this.graph.values[node.outputs[0]!]!.span;
  }

  /** Copies a node; a write takes `written` in place of its own value where there is one. */
  node(node: Node, written: ValueId | null = null): void {
    this.at(node);
    const inputs = written === null ? node.inputs.map((id) => this.value(id)) : [written];
    const outputs = this.again(node, inputs);
    node.outputs.forEach((id, i) => {
      const { name } = this.graph.values[id]!;
      this.known.set(id, name === null ? outputs[i]! : this.builder.label(outputs[i]!, name));
    });
  }

  /** The same op on other operands. */
  again(node: Node, inputs: readonly ValueId[]): readonly ValueId[] {
    const { builder, graph } = this;
    if (node.op === "constant") return [builder.constant(node.attributes.value)];
    if (node.op === "map") return [builder.map(node.attributes.fn, ...inputs)];
    if (node.op === "dot") return [builder.dot(inputs[0]!, inputs[1]!, node.attributes.over)];
    if (node.op === "state" || node.op === "call")
      return builder.node(
        node.op,
        node.attributes as never,
        inputs,
        node.outputs.map((id) => graph.values[id]!.type),
      );
    return builder.ops(node.op, node.attributes as never, inputs);
  }

  /** The value that a state had before the first token of the chunk of `size` that the token is in. */
  startOf(state: string, size: number, region: number | null): ValueId {
    const key = `${state} ${size}`;
    const known = this.starts.get(key);
    if (known !== undefined) return known;
    const { builder } = this;
    const info = builder.states.find(({ name }) => name === state);
    const begin = this.graph.nodes.find(
      (node) => node.op === "state" && node.attributes.state === state,
    );
    if (!info || !begin) throw new InternalFault(`there is no state ${state}`);
    let name = `${state}_start`;
    while (builder.states.some((other) => other.name === name)) name += `_${size}`;
    builder.states.push({ ...info, name });
    builder.region = region;
    const type = { dtype: "float" as const, axes: info.axes };
    const held = builder.node("state", { state: name }, [], [type])[0]!;
    const place = builder.map("mod", builder.op("position", {}, []), builder.constant(size));
    const first = builder.map("eq", place, builder.constant(0));
    const start = builder.map("select", first, this.value(begin.outputs[0]!), held);
    builder.node("write", { state: name, chunk: null }, [start], [builder.type(start)]);
    this.starts.set(key, start);
    return start;
  }

  finish(): Graph {
    const { builder, graph } = this;
    const port = <P extends { readonly value: ValueId }>(p: P): P => ({
      ...p,
      value: this.value(p.value),
    });
    builder.outputs.push(...graph.outputs.map(port));
    builder.penalties.push(...graph.penalties.map(port));
    builder.updates.push(...graph.updates.map(port));
    builder.metrics.push(...graph.metrics.map(port));
    return builder.finish();
  }
}
