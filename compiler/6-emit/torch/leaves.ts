/**
 * Which parameters belong to modules that PyTorch users know: a linear layer, a norm, a linear layer of
 * every expert, a short convolution. A parameter counts only when all its uses are of that form.
 */

import { type Graph, type Node, type ValueId, allResults } from "../../ir/graph.js";
import { type Axis, sameAxes, withoutAxes } from "../../ir/types.js";

export interface Leaf {
  readonly kind: "Linear" | "RMSNorm" | "ExpertLinear" | "ShortConv";
  readonly experts: Axis | null;
  readonly inner: readonly Axis[];
  readonly outer: readonly Axis[];
  readonly bias: boolean;
}

/** By the path of the module. */
export type LeafModules = ReadonlyMap<string, Leaf>;

export function leafModules(graph: Graph): LeafModules {
  const found = new Map<string, Leaf>();
  const byValue = new Map(graph.parameters.map((parameter) => [parameter.value, parameter]));
  const consumers = new Map<ValueId, Node[]>();
  for (const node of graph.nodes)
    for (const id of node.inputs) consumers.set(id, [...(consumers.get(id) ?? []), node]);
  const used = (id: ValueId): readonly Node[] => consumers.get(id) ?? [];
  const results = new Set(allResults(graph).map(({ value }) => value));
  for (const { path, value } of graph.parameters) {
    if (!path.endsWith(".weight")) continue;
    const home = path.slice(0, -".weight".length);
    const beside = graph.parameters.filter((p) => p.path.startsWith(`${home}.`));
    const offset = beside.find((p) => p.path === `${home}.offset`);
    if (beside.length !== (offset ? 2 : 1)) continue;
    const leaf =
      linearLeaf(graph, value, used(value)) ??
      expertLeaf(graph, value, used(value)) ??
      convLeaf(graph, value, used(value));
    if (!leaf) {
      if (!offset && used(value).every((node) => isGain(graph, node, value)))
        found.set(home, {
          kind: "RMSNorm",
          experts: null,
          inner: [],
          outer: graph.values[value]!.type.axes,
          bias: false,
        });
      continue;
    }
    if (!offset) {
      found.set(home, leaf);
      continue;
    }
    const added = used(value).every((node) => {
      const [y] = node.outputs as [ValueId];
      const [sum, ...others] = used(y);
      return (
        others.length === 0 &&
        !results.has(y) &&
        sum?.op === "map" &&
        sum.attributes.fn === "add" &&
        sum.inputs.includes(offset.value)
      );
    });
    if (leaf.kind !== "ExpertLinear" && added && used(offset.value).length === used(value).length)
      found.set(home, { ...leaf, bias: true });
  }
  return found;

  function linearLeaf(of: Graph, weight: ValueId, uses: readonly Node[]): Leaf | null {
    const { axes } = of.values[weight]!.type;
    const [first] = uses;
    if (first?.op !== "dot") return null;
    const { over } = first.attributes;
    const inner = axes.slice(0, over.length);
    if (!inner.every(({ name }) => over.includes(name))) return null;
    const fits = uses.every((node) => {
      if (node.op !== "dot" || node.attributes.over.join() !== over.join()) return false;
      const x = node.inputs.find((id) => id !== weight);
      if (x === undefined || byValue.has(x)) return false;
      const own = of.values[x]!.type.axes;
      if (!own.some(({ name }) => name === "batch")) return false;
      const shared = withoutAxes(own, over).some(({ name }) => axes.some((a) => a.name === name));
      return !shared && over.every((name) => own.some((axis) => axis.name === name));
    });
    if (!fits || uses.length === 0) return null;
    const outer = axes.slice(over.length);
    return { kind: "Linear", experts: null, inner, outer, bias: false };
  }

  function expertLeaf(of: Graph, weight: ValueId, uses: readonly Node[]): Leaf | null {
    const { axes } = of.values[weight]!.type;
    const [first] = uses;
    if (first?.op !== "grouped_dot" || axes[0]!.name !== first.attributes.group) return null;
    const { over } = first.attributes;
    const inner = axes.slice(1, 1 + over.length);
    if (!inner.every(({ name }) => over.includes(name))) return null;
    if (!uses.every((node) => node.op === "grouped_dot" && node.inputs[1] === weight)) return null;
    const outer = axes.slice(1 + over.length);
    return { kind: "ExpertLinear", experts: axes[0]!, inner, outer, bias: false };
  }

  /** Filters [taps, ..] of just the axes that x has besides batch and time, in their order. */
  function convLeaf(of: Graph, weight: ValueId, uses: readonly Node[]): Leaf | null {
    const [taps, ...outer] = of.values[weight]!.type.axes;
    const fits = uses.every((node) => {
      if (node.op !== "conv" || node.inputs[1] !== weight) return false;
      const [batch, time, ...rest] = of.values[node.inputs[0]!]!.type.axes;
      const { axis } = node.attributes;
      return batch?.name === "batch" && time?.name === axis && sameAxes(rest, outer);
    });
    if (!fits || uses.length === 0 || outer.length === 0) return null;
    return { kind: "ShortConv", experts: null, inner: [taps!], outer, bias: false };
  }

  /** x · rsqrt(mean x² + ε) · weight, the weight's axes being those of the mean. */
  function isGain(of: Graph, node: Node, weight: ValueId): boolean {
    if (node.op !== "map" || node.attributes.fn !== "mul") return false;
    const y = node.inputs.find((id) => id !== weight);
    return y !== undefined && rmsNorm(of, y, of.values[weight]!.type.axes) !== null;
  }
}

/** What x · rsqrt(mean x² + 1e-6) over exactly these axes, a token's last ones, is the norm of. */
export function rmsNorm(graph: Graph, id: ValueId, over: readonly Axis[]): ValueId | null {
  const made = (value: ValueId): Node | undefined =>
    graph.nodes.find(({ outputs }) => outputs.includes(value));
  const map = (value: ValueId, fn: string): readonly ValueId[] | null => {
    const node = made(value);
    return node?.op === "map" && node.attributes.fn === fn ? node.inputs : null;
  };
  const number = (value: ValueId): number | null => {
    const node = made(value);
    return node?.op === "constant" ? node.attributes.value : null;
  };
  const product = map(id, "mul");
  if (!product) return null;
  const [x, scale] = product as [ValueId, ValueId];
  const [added] = map(scale, "rsqrt") ?? [];
  const sum = added === undefined ? null : map(added, "add");
  if (!sum || number(sum[1]!) !== 1e-6) return null;
  const mean = map(sum[0]!, "mul");
  const total = mean ? made(mean[0]!) : undefined;
  if (total?.op !== "reduce" || total.attributes.fn !== "sum") return null;
  const squared = map(total.inputs[0]!, "square");
  const { axes } = graph.values[x]!.type;
  const last = axes.slice(axes.length - over.length);
  const names = over.map(({ name }) => name).join();
  const count = over.reduce((n, { size }) => n * size, 1);
  const fits =
    squared?.[0] === x &&
    last.map(({ name }) => name).join() === names &&
    [...total.attributes.over].sort().join() === names.split(",").sort().join() &&
    Math.abs(number(mean![1]!)! * count - 1) < 1e-12;
  return fits ? x : null;
}
