/**
 * Phase 5: graphs to programs: fused kernels in order, every buffer allocated before its first use and
 * freed after its last. Inputs and parameters belong to the caller; outputs become the caller's.
 */

import {
  type Graph,
  type Module,
  type Node,
  type NodeOf,
  type ValueId,
  allResults,
} from "../ir/graph.js";
import type {
  Buffer,
  BufferId,
  Instruction,
  Kernel,
  NamedBuffer,
  Operand,
  PlainKernel,
  Program,
  ProgramFunction,
  ScalarOperand,
  Step,
} from "../ir/program.js";
import { InternalFault, type TensorType } from "../ir/types.js";
import { prune } from "../3-derive/prune.js";
import { type Fusion, fuse } from "./fuse.js";

export function schedule(module: Module): Program {
  const functions = new Map(
    [...module.functions].map(([name, graph]) => [name, scheduleGraph(prune(graph))]),
  );
  return { main: module.main, functions };
}

class Scheduler {
  readonly buffers: Buffer[] = [];
  readonly steps: Step[] = [];
  /** Where each value lies and under which axis names. */
  readonly places = new Map<ValueId, Operand>();
  private readonly fusion: Fusion;

  constructor(readonly graph: Graph) {
    this.fusion = fuse(graph);
  }

  buffer(type: TensorType, name: string | null, origin: ValueId | null = null): BufferId {
    this.buffers.push({ type, name, origin });
    return this.buffers.length - 1;
  }

  /** A fresh buffer for a value. */
  place(id: ValueId): Operand {
    const { type, name, origin } = this.graph.values[id]!;
    const operand = { buffer: this.buffer(type, name, origin), type };
    this.places.set(id, operand);
    return operand;
  }

  operand(id: ValueId): Operand {
    const operand = this.places.get(id);
    if (!operand) throw new InternalFault(`value ${id} of ${this.graph.name} has no buffer`);
    return operand;
  }

  run(kernel: Kernel, inputs: readonly Operand[], outputs: readonly (Operand | null)[]): void {
    for (const output of outputs)
      if (output) this.steps.push({ kind: "alloc", buffer: output.buffer });
    this.steps.push({ kind: "run", kernel, inputs, outputs });
  }

  node(node: Node, live: ReadonlySet<ValueId>): void {
    const id = node.outputs[0]!;
    if (this.fusion.inlined.has(id)) return;
    switch (node.op) {
      case "constant":
      case "iota":
      case "map":
        return this.map(id, id, null);
      case "reduce":
        return this.map(node.inputs[0]!, id, node.attributes.fn);
      case "rename": {
        const { buffer } = this.operand(node.inputs[0]!);
        this.places.set(id, { buffer, type: this.graph.values[id]!.type });
        return;
      }
      case "scan":
        return this.scan(node, live);
      case "call": {
        const inputs = node.inputs.map((input) => this.operand(input).buffer);
        const outputs = node.outputs.map((output) => this.place(output).buffer);
        for (const buffer of outputs) this.steps.push({ kind: "alloc", buffer });
        const { callee, prefix } = node.attributes;
        this.steps.push({ kind: "call", callee, prefix, inputs, outputs });
        return;
      }
      default: {
        const inputs = node.inputs.map((input) => this.operand(input));
        const kernel = { op: node.op, attributes: node.attributes } as PlainKernel;
        this.run(
          kernel,
          inputs,
          node.outputs.map((output) => this.place(output)),
        );
      }
    }
  }

  /** A map kernel that computes `from` and, with a reduction of it, `to`. */
  private map(from: ValueId, to: ValueId, reduce: "sum" | "max" | null): void {
    const code: Instruction[] = [];
    const inputs: Operand[] = [];
    const known = new Map<ValueId, ScalarOperand>();
    const scalarOf = (id: ValueId): ScalarOperand => {
      const seen = known.get(id);
      if (seen) return seen;
      const made = this.scalar(id, id === to, scalarOf, code, inputs);
      known.set(id, made);
      return made;
    };
    const value = scalarOf(from);
    // the value must be the last instruction: a bare input, constant or position is copied
    const last = value.kind === "value" && value.index === code.length - 1;
    if (!last) code.push({ fn: "stop", arguments: [value] });
    const loop = this.graph.values[from]!.type;
    this.run({ op: "map", code, loop, reduce }, inputs, [this.place(to)]);
  }

  private scalar(
    id: ValueId,
    root: boolean,
    scalarOf: (id: ValueId) => ScalarOperand,
    code: Instruction[],
    inputs: Operand[],
  ): ScalarOperand {
    const node = this.fusion.producer.get(id);
    if (node && (root || this.fusion.inlined.has(id))) {
      if (node.op === "constant") return { kind: "constant", value: node.attributes.value };
      if (node.op === "iota") return { kind: "position", axis: node.attributes.axis.name };
      if (node.op === "map") {
        const operands = node.inputs.map(scalarOf);
        code.push({ fn: node.attributes.fn, arguments: operands });
        return { kind: "value", index: code.length - 1 };
      }
    }
    const operand = this.operand(id);
    inputs.push(operand);
    return { kind: "input", index: inputs.length - 1 };
  }

  private scan(node: NodeOf<"scan">, live: ReadonlySet<ValueId>): void {
    const { body, ...attributes } = node.attributes;
    const outputs = node.outputs.map((id) => (live.has(id) ? this.place(id) : null));
    const inputs = node.inputs.map((id) => this.operand(id));
    this.run({ op: "scan", attributes, body: scheduleGraph(prune(body)) }, inputs, outputs);
  }
}

export function scheduleGraph(graph: Graph): ProgramFunction {
  const scheduler = new Scheduler(graph);
  const borrowed = new Set<BufferId>();
  const borrow = (value: ValueId): BufferId => {
    const { buffer } = scheduler.place(value);
    borrowed.add(buffer);
    return buffer;
  };
  const inputs = graph.inputs.map(({ name, value }) => ({ name, buffer: borrow(value) }));
  const parameters = graph.parameters.map(({ path, value }) => ({ path, buffer: borrow(value) }));
  const live = used(graph);
  for (const node of graph.nodes) scheduler.node(node, live);

  // Results are the caller's: each its own buffer, and none of the caller's own.
  const given = new Set<BufferId>(borrowed);
  const result = (value: ValueId): BufferId => {
    const operand = scheduler.operand(value);
    const { buffer } = operand;
    if (!given.has(buffer)) {
      given.add(buffer);
      return buffer;
    }
    const copy = scheduler.buffer(operand.type, graph.values[value]!.name);
    const code: Instruction[] = [{ fn: "stop", arguments: [{ kind: "input", index: 0 }] }];
    scheduler.run(
      { op: "map", code, loop: operand.type, reduce: null },
      [operand],
      [{ buffer: copy, type: operand.type }],
    );
    given.add(copy);
    return copy;
  };
  const named = (
    ports: readonly { readonly name: string; readonly value: ValueId }[],
  ): NamedBuffer[] => ports.map(({ name, value }) => ({ name, buffer: result(value) }));
  const outputs = named(graph.outputs);
  const penalties = named(graph.penalties);
  const updates = graph.updates.map(({ path, value }) => ({ path, buffer: result(value) }));
  const metrics = named(graph.metrics);
  const kept = new Set([
    ...borrowed,
    ...outputs.map((o) => o.buffer),
    ...penalties.map((o) => o.buffer),
    ...updates.map((o) => o.buffer),
    ...metrics.map((o) => o.buffer),
  ]);
  const steps = withFrees(scheduler.steps, kept);
  return {
    name: graph.name,
    buffers: scheduler.buffers,
    inputs,
    parameters,
    steps,
    outputs,
    penalties,
    updates,
    metrics,
  };
}

/** Values that some node or result reads. */
function used(graph: Graph): ReadonlySet<ValueId> {
  return new Set([
    ...graph.nodes.flatMap((node) => node.inputs),
    ...allResults(graph).map(({ value }) => value),
  ]);
}

/** Buffers a step reads. */
export function reads(step: Step): readonly BufferId[] {
  switch (step.kind) {
    case "run":
      return step.inputs.map(({ buffer }) => buffer);
    case "call":
      return step.inputs;
    case "optimize":
      return step.optimize.gradients.map(({ buffer }) => buffer);
    default:
      return [];
  }
}

/** Buffers a step writes. */
function writes(step: Step): readonly BufferId[] {
  switch (step.kind) {
    case "run":
      return step.outputs.flatMap((output) => (output ? [output.buffer] : []));
    case "call":
      return step.outputs.filter((output) => output !== null);
    case "optimize":
      return [step.optimize.norm];
    default:
      return [];
  }
}

/** Inserts a `free` after the last use of every buffer that is not `kept`. */
export function withFrees(steps: readonly Step[], kept: ReadonlySet<BufferId>): Step[] {
  const last = new Map<BufferId, number>();
  steps.forEach((step, i) => {
    for (const buffer of writes(step)) last.set(buffer, i); // unused results die where they are made
    for (const buffer of reads(step)) last.set(buffer, i);
  });
  const dying = new Map<number, BufferId[]>();
  for (const [buffer, at] of last) {
    if (kept.has(buffer)) continue;
    const others = dying.get(at);
    if (others) others.push(buffer);
    else dying.set(at, [buffer]);
  }
  return steps.flatMap((step, i) => [
    step,
    ...(dying.get(i) ?? []).map((buffer) => ({ kind: "free" as const, buffer })),
  ]);
}
