/**
 * Chooses a form for every recurrence and attention: the chunk form where a normal form allows it, the
 * recurrent form (a scan, token by token) otherwise. What was chosen, and why, is reported beside it.
 */

import { GraphBuilder } from "../../ir/builder.js";
import type { Graph, Module, NodeOf, ValueId } from "../../ir/graph.js";
import { findAxis } from "../../ir/types.js";
import { closeCopy, copyNode, openCopy } from "../../ir/copy.js";
import { attentionForm } from "./attention.js";
import { chunkForm, familyOf, planChunk } from "./chunk.js";
import { type Held, chunkStartForm, heldStates, ownStates } from "./chunk-start.js";
import { packedChunksForm } from "./packed-chunks.js";
import { insideChunk } from "./inside-chunk.js";
import { linearForm } from "./linear-form.js";
import { linearChunk, linearInChunks } from "./linear-in-chunks.js";
import { withoutRotations } from "./rotation.js";
import { delayForm, slotPositionsForm } from "./routes.js";
import { Analysis } from "./normal-form.js";
import { affineStep, tropicalEquation } from "./described.js";
import type { Family, RecurrenceReport } from "./report.js";
import { tropicalStep } from "./tropical.js";
import { inFrame, lastTurned, turningFrame } from "./turn.js";

export interface FormOptions {
  /** "recurrent" keeps every scan as it is: what the chunk form is compared with. */
  readonly prefer: "chunk" | "recurrent";
  readonly chunk: number | null; // chunk size for all, instead of the natural ones
  /** Whether a row of the batch may hold several documents; it may where nothing is said. */
  readonly packed?: boolean;
}

export function chooseForms(
  module: Module,
  options: FormOptions,
): { readonly module: Module; readonly reports: readonly RecurrenceReport[] } {
  const reports: RecurrenceReport[] = [];
  const functions = new Map(
    [...module.functions].map(([name, graph]) => [name, rewriteGraph(graph, options, reports)]),
  );
  return { module: withoutRotations({ main: module.main, functions }), reports };
}

/** One function on its way into its forms. */
interface Rewrite {
  readonly builder: GraphBuilder;
  readonly graph: Graph;
  /** Values of the graph → those of the builder. */
  readonly known: Map<ValueId, ValueId>;
  /** Values that any node of the graph takes. */
  readonly used: ReadonlySet<ValueId>;
  readonly options: FormOptions;
  readonly reports: RecurrenceReport[];
}

function rewriteGraph(graph: Graph, options: FormOptions, reports: RecurrenceReport[]): Graph {
  const builder = new GraphBuilder(graph.name);
  const known = openCopy(builder, graph);
  const used = new Set(graph.nodes.flatMap((node) => node.inputs));
  const rewrite: Rewrite = { builder, graph, known, used, options, reports };
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((id) => known.get(id)!);
    const { span, origin } = graph.values[node.outputs[0]!]!;
    builder.span = span;
    builder.origin = origin;
    if (node.op === "attend") {
      known.set(node.outputs[0]!, attentionForm(builder, node, inputs));
      continue;
    }
    if (node.op === "delay") {
      known.set(node.outputs[0]!, delayForm(builder, node, inputs));
      continue;
    }
    if (node.op === "slot_positions") {
      known.set(node.outputs[0]!, slotPositionsForm(builder, inputs));
      continue;
    }
    if (node.op === "scan" && rewriteScan(rewrite, node, inputs)) continue;
    copyNode(builder, graph, node, known);
  }
  return closeCopy(builder, graph, known);
}

/** What a user may do about a step that is not affine, or that needs other states' steps. */
const orInChunks =
  "with `at chunk(n)` on the step it could run in chunks, seeing their first state";

/** Gives results for the outputs of a node, with their names. */
function replaceOutputs(
  { builder, graph, known }: Rewrite,
  node: NodeOf<"scan">,
  results: readonly ValueId[],
): true {
  results.forEach((id, i) => {
    const original = node.outputs[i]!;
    const { name } = graph.values[original]!;
    known.set(original, name === null ? id : builder.label(id, name));
  });
  return true;
}

/** True when the scan was replaced. */
function rewriteScan(rewrite: Rewrite, node: NodeOf<"scan">, inputs: readonly ValueId[]): boolean {
  const { builder, graph, used, options, reports } = rewrite;
  const { label, axis, body, states, chunk } = node.attributes;
  const report = (family: Family | "?", form: string, more: Partial<RecurrenceReport>): void => {
    const none = { reason: null, span: null, step: null };
    reports.push({ function: graph.name, state: label, family, form, ...none, ...more });
  };
  const keepRecurrent = (family: Family | "?", more: Partial<RecurrenceReport>): false => {
    report(family, "recurrent", more);
    return false;
  };
  if (options.prefer === "recurrent") return keepRecurrent("?", { reason: "asked for" });
  const held = heldStates(builder, node, inputs);
  if (held !== null) return rewriteChunkStart(rewrite, node, inputs, held);
  const outputs = body.outputs.length - states;
  const state = builder.type(inputs[0]!);
  const analysed = new Analysis(builder, node, state).run(inputs);
  if (analysed.kind === "not affine") {
    const { reason, span } = analysed;
    const tropical = tropicalStep(builder, node, inputs);
    if (tropical === null) return keepRecurrent("?", { reason: `${reason}; ${orInChunks}`, span });
    report("max-plus", "scan", {
      step: tropicalEquation(builder, node, inputs[0]!, tropical),
    });
    return replaceOutputs(rewrite, node, linearForm(builder, node, inputs, tropical, null));
  }
  const length = inputs
    .map((id) => findAxis(builder.type(id), axis))
    .find((found) => found !== undefined)!;
  const { turn } = analysed;
  const frame = turn === null ? null : turningFrame(builder, turn, state, length);
  const form = frame === null ? analysed : inFrame(builder, analysed, state, frame);
  const keepsBefores = node.outputs.slice(outputs + states).some((id) => used.has(id));
  const finalUsed = used.has(node.outputs[outputs]!);
  const obstacle =
    form.obstacle ??
    (keepsBefores ? { reason: "the state is used without contracting it", span: null } : null);
  const plan =
    obstacle === null && form.key.length > 0
      ? planChunk(builder, form, inputs[0]!, length.size, options.chunk ?? chunk)
      : null;
  const family = frame === null ? familyOf(builder, form, inputs[0]!) : "F6";
  const step = affineStep(builder, node, inputs[0]!, analysed, plan?.writes ?? null);
  if (plan !== null) {
    report(family, `chunk ${plan.chunk}`, { step });
    const result = chunkForm(builder, node, inputs, form, plan);
    const final = frame === null ? result.final : lastTurned(builder, frame, result.final, length);
    return replaceOutputs(rewrite, node, [...result.outputs, final]);
  }
  if (form.erases.length > 0)
    return keepRecurrent(family, {
      ...(obstacle ?? { reason: "its writes are no outer products" }),
      step,
    });
  const part =
    obstacle === null && form.key.length > 0 && !finalUsed
      ? linearChunk(node, length.size, options.chunk ?? chunk)
      : null;
  const inChunks = part === null ? null : linearInChunks(builder, node, inputs, part);
  if (inChunks !== null) {
    report(family, `scan in chunks of ${part}`, { step });
    return replaceOutputs(rewrite, node, [...inChunks.outputs, ...inChunks.finals]);
  }
  report(family, "scan", { step });
  return replaceOutputs(rewrite, node, linearForm(builder, node, inputs, form, frame));
}

/** True when a scan with copies of states, as of their chunks' starts, was replaced. */
function rewriteChunkStart(
  rewrite: Rewrite,
  node: NodeOf<"scan">,
  inputs: readonly ValueId[],
  held: Held,
): boolean {
  const { builder, graph, used, options, reports } = rewrite;
  const { axis, body, states } = node.attributes;
  const own = ownStates(node, held);
  const state = own.map((i) => body.inputs[i]!.name).join(", ");
  const report = { function: graph.name, state, family: "F7", span: null, step: null } as const;
  const recurrent = (reason: string): false => {
    reports.push({ ...report, form: "recurrent", reason });
    return false;
  };
  if (held.size === 1) return recurrent("asked for by `at chunk(1)`");
  // memories of a `mix` begin their chunks at tokens of their own, and so do packed documents
  const form = axis !== "time" || (options.packed ?? true) ? packedChunksForm : chunkStartForm;
  const outputs = body.outputs.length - states;
  // behind a chunk that is filled up the states are those of tokens that are not there
  if (node.outputs.slice(outputs).some((id) => used.has(id)))
    return recurrent("the state is used without contracting it");
  const made = form(builder, node, inputs, held, insideChunk);
  if ("reason" in made) return recurrent(made.reason);
  reports.push({ ...report, form: `chunk ${held.size}`, reason: null });
  return replaceOutputs(rewrite, node, made.outputs);
}
