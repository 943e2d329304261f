/** Finds the steps of a graph, from its results back: what nobody needs is left out on the way. */

import type { Node, NodeOf, ValueId } from "../../ir/graph.js";
import { sameAxes } from "../../ir/types.js";
import { activatedConv, biasedConv, shortConv } from "./recognise-conv.js";
import { logSigmoid } from "./recognise-decay.js";
import { deltaRule } from "./recognise-delta.js";
import { experts, moduleOf, routedSwiglu, siluMul, siluOf } from "./recognise-experts.js";
import { gatedNorm, l2Norm, normed } from "./recognise-norms.js";
import { combine, dispatch, quotient } from "./recognise-slots.js";
import { type FusedStep, type GraphView, type Step, fused } from "./steps.js";

/** The steps that `wanted` needs, in the graph's order. */
export function stepsOf(view: GraphView, wanted: readonly ValueId[]): readonly Step[] {
  const live = new Set(wanted.map((id) => view.source(id)));
  const steps: Step[] = [];
  for (const node of [...view.graph.nodes].reverse()) {
    if (node.op === "rename" || node.op === "constant") continue;
    if (!node.outputs.some((id) => live.has(id))) continue;
    if (node.outputs.every((id) => view.source(id) !== id)) continue;
    if (view.isStart(node.outputs[0]!)) continue;
    const step = recognise(view, node) ?? node;
    steps.push(step);
    for (const id of step.inputs) live.add(view.source(id));
  }
  return steps.reverse();
}

function recognise(view: GraphView, node: Node): FusedStep | null {
  if (node.op === "dot") return linear(view, node, node.outputs[0]!);
  if (node.op === "conv") return shortConv(view, node);
  if (node.op === "grouped_dot") return experts(view, node);
  if (node.op === "concat") return rotate(view, node);
  if (node.op === "recurrence") return deltaRule(view, node);
  if (node.op === "take") return dispatch(view, node);
  if (node.op === "put") return routedSwiglu(view, node) ?? combine(view, node);
  if (node.op !== "map") return null;
  return (
    biased(view, node) ??
    biasedConv(view, node) ??
    normed(view, node) ??
    l2Norm(view, node) ??
    activatedConv(view, node.outputs[0]!, node.outputs[0]!) ??
    silu(view, node) ??
    gatedNorm(view, node) ??
    siluMul(view, node) ??
    logSigmoid(view, node) ??
    softmax(view, node) ??
    logsumexp(view, node) ??
    mean(view, node) ??
    quotient(view, node) ??
    weightedCrossEntropy(view, node) ??
    crossEntropy(view, node)
  );
}

function linear(view: GraphView, node: NodeOf<"dot">, output: ValueId): FusedStep | null {
  for (const [x, w] of [node.inputs, [...node.inputs].reverse()] as [ValueId, ValueId][]) {
    const path = moduleOf(view.parameterPath(w));
    const leaf = path === null ? undefined : view.leaves.get(path);
    if (leaf?.kind !== "Linear") continue;
    if (leaf.bias === (output === node.outputs[0])) return null; // the sum with its bias is the step
    return fused("linear", { path: path!, inner: leaf.inner }, [x], output);
  }
  return null;
}

/** A linear layer and its bias. */
function biased(view: GraphView, node: NodeOf<"map">): FusedStep | null {
  for (const [y] of view.pairs(node.outputs[0]!, "add")) {
    const product = view.producer(y);
    if (product?.op !== "dot") continue;
    const step = linear(view, product, node.outputs[0]!);
    const offset = step?.op === "linear" ? `${step.attributes.path}.offset` : null;
    if (offset !== null && node.inputs.some((id) => view.parameterPath(id) === offset)) return step;
  }
  return null;
}

function silu(view: GraphView, node: NodeOf<"map">): FusedStep | null {
  const x = siluOf(view, node.outputs[0]!);
  return x === null ? null : fused("silu", {}, [x], node.outputs[0]!);
}

/** exp(x − stop(max x)), and x with the axes of the maximum. */
function shifted(view: GraphView, id: ValueId): { x: ValueId; over: readonly string[] } | null {
  const [difference] = view.map(id, "exp") ?? [];
  const parts = difference === undefined ? null : view.map(difference, "sub");
  if (!parts) return null;
  const top = topOf(view, parts[1]!);
  return top && top.x === parts[0] ? top : null;
}

function topOf(view: GraphView, id: ValueId): { x: ValueId; over: readonly string[] } | null {
  const [inner] = view.map(id, "stop") ?? [];
  return inner === undefined ? null : view.reduce(inner, "max");
}

function softmax(view: GraphView, node: NodeOf<"map">): FusedStep | null {
  const [e, total] = view.map(node.outputs[0]!, "div") ?? [];
  if (e === undefined) return null;
  const sum = view.reduce(total!, "sum");
  const source = shifted(view, e);
  if (!sum || !source || sum.x !== e || source.over.length !== 1) return null;
  if (source.over.join() !== sum.over.join()) return null;
  return fused("softmax", { over: sum.over }, [source.x], node.outputs[0]!);
}

function mean(view: GraphView, node: NodeOf<"map">): FusedStep | null {
  const found = view.mean(node.outputs[0]!);
  return found && fused("mean", { over: found.over }, [found.x], node.outputs[0]!);
}

function logsumexp(view: GraphView, node: NodeOf<"map">): FusedStep | null {
  for (const [log, top] of view.pairs(node.outputs[0]!, "add")) {
    const [total] = view.map(log, "log") ?? [];
    const sum = total === undefined ? null : view.reduce(total, "sum");
    const source = sum && shifted(view, sum.x);
    const highest = topOf(view, top);
    if (!source || highest?.x !== source.x || source.over.length !== 1) continue;
    if (source.over.join() === sum.over.join() && highest.over.join() === sum.over.join())
      return fused("logsumexp", { over: sum.over }, [source.x], node.outputs[0]!);
  }
  return null;
}

/** (x₁ cos − x₂ sin, x₁ sin + x₂ cos), x₁ and x₂ being the halves of an axis. */
function rotate(view: GraphView, node: NodeOf<"concat">): FusedStep | null {
  const { axis } = node.attributes;
  if (node.inputs.length !== 2) return null;
  const [left, right] = node.inputs.map((id) => view.source(id)) as [ValueId, ValueId];
  const difference = view.map(left, "sub");
  const sum = view.map(right, "add");
  if (!difference || !sum) return null;
  const product = (id: ValueId, fn: string): { x: ValueId; angle: ValueId } | null => {
    for (const [x, turn] of view.pairs(id, "mul")) {
      const [angle] = view.map(turn, fn) ?? [];
      if (angle !== undefined) return { x: view.source(x), angle };
    }
    return null;
  };
  const [a, b] = [product(difference[0]!, "cos"), product(difference[1]!, "sin")];
  const [c, d] = [product(sum[0]!, "sin"), product(sum[1]!, "cos")];
  if (!a || !b || !c || !d) return null;
  const oneAngle = [b, c, d].every(({ angle }) => angle === a.angle);
  if (!oneAngle || a.x !== c.x || b.x !== d.x) return null;
  const [first, second] = [view.producer(a.x), view.producer(b.x)];
  if (first?.op !== "slice" || second?.op !== "slice") return null;
  const size = view.axes(node.outputs[0]!).find(({ name }) => name === axis)!.size / 2;
  const half = (slice: typeof first, start: number): boolean =>
    slice.attributes.start === start && slice.attributes.size === size;
  const x = first.inputs[0]!;
  const fits =
    half(first, 0) &&
    half(second, size) &&
    view.same(x, second.inputs[0]!) &&
    first.attributes.axis === axis;
  const pairs = view
    .axes(a.angle)
    .find(({ name, size: own }) => own === size && !view.axes(x).some((one) => one.name === name));
  const order =
    view
      .axes(x)
      .map(({ name }) => name)
      .join() ===
    view
      .axes(node.outputs[0]!)
      .map(({ name }) => name)
      .join();
  if (!fits || !pairs || !order) return null;
  return fused("rotate", { axis, pairs: pairs.name }, [x, a.angle], node.outputs[0]!);
}

/** log Σ exp(logits) − logits[target]. */
function crossEntropy(view: GraphView, node: NodeOf<"map">): FusedStep | null {
  const parts = view.map(node.outputs[0]!, "sub");
  const pick = parts && view.producer(parts[1]!);
  if (pick?.op !== "take") return null;
  const [logits, targets] = pick.inputs as [ValueId, ValueId];
  const { axis } = pick.attributes;
  const own = view.axes(logits);
  if (own[own.length - 1]!.name !== axis) return null;
  for (const [log, top] of view.pairs(parts![0]!, "add")) {
    const [total] = view.map(log, "log") ?? [];
    const sum = total === undefined ? null : view.reduce(total, "sum");
    const source = sum && shifted(view, sum.x);
    const highest = topOf(view, top);
    if (!source || !highest || source.x !== logits || highest.x !== logits) continue;
    if (sum.over.join() !== axis || source.over.join() !== axis) continue;
    const product = view.producer(logits);
    const layer = product?.op === "dot" ? linear(view, product, logits) : null;
    if (layer?.op === "linear" && !view.leaves.get(layer.attributes.path)!.bias)
      return fused(
        "linear_cross_entropy",
        layer.attributes,
        [layer.inputs[0]!, targets],
        node.outputs[0]!,
      );
    return fused("cross_entropy", { axis }, [logits, targets], node.outputs[0]!);
  }
  return null;
}

/** Weighted by an input of the model, as a mean over the tokens that count does. */
function weightedCrossEntropy(view: GraphView, node: NodeOf<"map">): FusedStep | null {
  for (const [loss, weights] of view.pairs(node.outputs[0]!, "mul")) {
    const made = view.producer(loss);
    const step = made?.op === "map" ? crossEntropy(view, made) : null;
    if (step?.op !== "linear_cross_entropy" || !view.usedOnce(loss)) continue;
    if (!view.graph.inputs.some(({ value }) => value === view.source(weights))) continue;
    const alike = [loss, weights].every((id) =>
      sameAxes(view.axes(id), view.axes(node.outputs[0]!)),
    );
    if (!alike) continue;
    return fused(step.op, step.attributes, [...step.inputs, weights], node.outputs[0]!);
  }
  return null;
}
