/**
 * Warns of steps that will run, but not as one would wish: those without a parallel form, and those whose state
 * grows without bound whatever the parameters learn.
 */

import type { CallExpression, Span } from "../../grammar/ast.js";
import type { Label } from "../diagnostics/diagnostic.js";
import { messages } from "../diagnostics/messages.generated.js";
import type { Reporter } from "../diagnostics/report.js";
import { type Bounds, type Origins, startOf } from "../ir/bounds.js";
import type { Graph, Node, StateInfo, ValueId } from "../ir/graph.js";
import { findSteps } from "../ir/steps.js";
import { findAxis } from "../ir/types.js";
import { type Factor, type Fault, shapeOf } from "./affine.js";
import type { Application, Part } from "./trace.js";

/** What a graph was built from, and which files its user has not written. */
export interface Built {
  readonly parts: readonly Part[];
  readonly library: ReadonlySet<string>;
}

export function warnOfSteps(graph: Graph, built: Built, reporter: Reporter): void {
  if (graph.states.length === 0) return;
  const makers = new Map<ValueId, Node>();
  for (const node of graph.nodes) for (const id of node.outputs) makers.set(id, node);
  const origins: Origins = { producer: (id) => makers.get(id), starts: startsOf(graph) };
  for (const cycle of findSteps(graph).cycles) {
    const { faults, factors } = shapeOf(graph, cycle, origins);
    for (const at of cycle.states) {
      const state = graph.states[at]!;
      const fault = faults.get(state.name);
      if (fault) notAffine(graph, state, fault, built, reporter);
      const factor = factors.get(state.name);
      if (factor && grows(factor)) growing(graph, state, factor, built, reporter);
    }
  }
}

/** By so much a factor of 1 may seem to be above 1 for being computed in float64. */
const rounding = 1e-9;

/** A state is never made smaller, and may be made larger. */
const grows = ({ low, high }: Bounds): boolean =>
  (low >= 1 && high > 1 + rounding) || (high <= -1 && low < -1 - rounding);

function startsOf(graph: Graph): Origins["starts"] {
  const parameters = new Map(graph.parameters.map((each) => [each.value, each]));
  return (id) => {
    const parameter = parameters.get(id);
    const { type } = graph.values[id]!;
    return parameter && startOf(parameter.initializer, (axis) => findAxis(type, axis)?.size ?? 1);
  };
}

const shortName = (name: string): string => `\`${name.slice(name.lastIndexOf(".") + 1)}\``;

function notAffine(
  graph: Graph,
  state: StateInfo,
  { node, what, states }: Fault,
  built: Built,
  reporter: Reporter,
): void {
  const { span, layer } = placeOf(graph, node, state, built);
  const names = states.map(shortName).join(" and ");
  const inGradient = span !== null && isGradient(built.parts, node, span);
  const said = inGradient
    ? `in the gradient is left ${what}`
    : layer === null
      ? what
      : `\`${layer}\` of a value that depends on %`;
  const elementwise = /^`(\w+)` of a value/.exec(said)?.[1];
  const onReads =
    elementwise === undefined
      ? ""
      : `; or keep the state linear and apply \`${elementwise}\` to what is read of it`;
  reporter.report(
    messages.notAffine({ state: shortName(state.name).slice(1, -1) }),
    [
      ...(span ? [{ span, text: said.replace("%", names) }] : []),
      ...labelOf(state, span, built, "the state"),
    ],
    `\`… at chunk(16)\` takes this of the state at the chunk's start, and runs in chunks${onReads}; ` +
      "`… at chunk(1)` says that token by token is meant",
  );
}

function growing(
  graph: Graph,
  state: StateInfo,
  { low, high, grows: by }: Factor,
  built: Built,
  reporter: Reporter,
): void {
  const made = graph.nodes.findIndex(({ outputs }) => outputs.includes(by ?? -1));
  const write = graph.nodes.findLastIndex(
    (node) => node.op === "write" && node.attributes.state === state.name,
  );
  const { span } = placeOf(graph, made < 0 ? write : made, state, built);
  const sign = high < 0 ? "-" : "";
  const text =
    low === high
      ? `every token multiplies the state by ${Number(low.toPrecision(6))}`
      : `every token multiplies the state by ${sign}1 or more`;
  reporter.report(messages.growingState({ state: shortName(state.name).slice(1, -1) }), [
    ...(span ? [{ span, text }] : []),
    ...labelOf(state, span, built, "the state"),
  ]);
}

function labelOf(
  { span }: StateInfo,
  beside: Span | null,
  { library }: Built,
  text: string,
): Label[] {
  const own = span !== null && !library.has(span.source);
  return own && (span.start !== beside?.start || span.source !== beside.source)
    ? [{ span, text }]
    : [];
}

/** Where in the user's files a node was made, and through which layer of the library, which steps no state itself. */
function placeOf(
  graph: Graph,
  node: number,
  state: StateInfo,
  { parts, library }: Built,
): { readonly span: Span | null; readonly layer: string | null } {
  const own = (span: Span | null): boolean => span !== null && !library.has(span.source);
  const { span } = graph.values[graph.nodes[node]!.outputs[0]!]!;
  if (own(span)) return { span, layer: null };
  const at = graph.states.indexOf(state);
  let place: Span | null = null;
  let layer: Application | null = null;
  for (let inner = partAt(parts, node); inner !== undefined;) {
    const where = inner.kind === "step" ? inner.statement.span : inner.call;
    if (own(where)) [place, layer] = [where, null];
    const steps = at >= 0 && at >= inner.states.from && at < inner.states.to;
    if (inner.kind === "application" && library.has(inner.layer.name.span.source) && !steps)
      layer ??= inner;
    inner = partAt(inner.kind === "step" ? inner.parts : inner.steps, node);
  }
  return { span: place, layer: layer === null ? null : layer.layer.name.name };
}

/** Whether a place is a call of `grad`: what stands there was made by the compiler. */
function isGradient(parts: readonly Part[], node: number, { start, end }: Span): boolean {
  const open: unknown[] = [];
  for (let inner = partAt(parts, node); inner !== undefined;) {
    if (inner.kind === "step") open.push(inner.statement);
    inner = partAt(inner.kind === "step" ? inner.parts : inner.steps, node);
  }
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (typeof at !== "object" || at === null) continue;
    const { kind, span, callee } = at as Partial<CallExpression>;
    if (kind === "call" && span?.start === start && span.end === end)
      return callee?.name === "grad";
    open.push(...Object.values(at));
  }
  return false;
}

const partAt = (parts: readonly Part[], node: number): Part | undefined =>
  parts.find(({ nodes }) => node >= nodes.from && node < nodes.to);
