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
import { insideChunk } from "./inside-chunk.js";
import { linearForm } from "./linear-form.js";
import { withoutRotations } from "./rotation.js";
import { delayForm, slotPositionsForm } from "./routes.js";
import { Analysis } from "./normal-form.js";
import { tropicalStep } from "./tropical.js";
import { inFrame, lastTurned, turningFrame } from "./turn.js";

export interface RecurrenceReport {
  readonly function: string;
  readonly state: string;
  readonly family: string;
  readonly form: string; // "chunk 64", "scan" (elementwise, over the whole sequence), "recurrent"
  readonly reason: string | null; // why not a chunk form
}

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
    [...module.functions].map(([name, graph]) => [name, rewrite(graph, options, reports)]),
  );
  return { module: withoutRotations({ main: module.main, functions }), reports };
}

function rewrite(graph: Graph, options: FormOptions, reports: RecurrenceReport[]): Graph {
  const builder = new GraphBuilder(graph.name);
  const known = openCopy(builder, graph);
  const used = new Set(graph.nodes.flatMap((node) => node.inputs));
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((id) => known.get(id)!);
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
    if (
      node.op === "scan" &&
      rewriteScan(builder, graph, node, inputs, known, used, options, reports)
    )
      continue;
    copyNode(builder, graph, node, known);
  }
  return closeCopy(builder, graph, known);
}

/** What a user may do about a step that is not affine, or that needs other states' steps. */
const orInChunks =
  "with `at chunk(n)` on the step it could run in chunks, seeing their first state";

/** True when the scan was replaced. */
function rewriteScan(
  builder: GraphBuilder,
  graph: Graph,
  node: NodeOf<"scan">,
  inputs: readonly ValueId[],
  known: Map<ValueId, ValueId>,
  used: ReadonlySet<ValueId>,
  options: FormOptions,
  reports: RecurrenceReport[],
): boolean {
  const { label, axis, body, states, chunk } = node.attributes;
  const report = (family: string, form: string, reason: string | null): void => {
    reports.push({ function: graph.name, state: label, family, form, reason });
  };
  if (options.prefer === "recurrent") {
    report("?", "recurrent", "asked for");
    return false;
  }
  const held = heldStates(builder, node, inputs);
  if (held !== null)
    return rewriteChunkStart(builder, graph, node, inputs, known, used, options, reports, held);
  const outputs = body.outputs.length - states;
  const replace = (results: readonly ValueId[]): boolean => {
    results.forEach((id, i) => {
      const original = node.outputs[i]!;
      const { name } = graph.values[original]!;
      known.set(original, name === null ? id : builder.label(id, name));
    });
    return true;
  };
  const keepRecurrent = (family: string, reason: string): boolean => {
    report(family, "recurrent", reason);
    return false;
  };
  const state = builder.type(inputs[0]!);
  const analysed = new Analysis(builder, node, state).run(inputs);
  if (analysed.kind === "not affine") {
    const step = tropicalStep(builder, node, inputs);
    if (step === null) return keepRecurrent("?", `${analysed.reason}; ${orInChunks}`);
    report("max-plus", "scan", null);
    return replace(linearForm(builder, node, inputs, step, null));
  }
  const length = inputs
    .map((id) => findAxis(builder.type(id), axis))
    .find((found) => found !== undefined)!;
  const { turn } = analysed;
  const frame = turn === null ? null : turningFrame(builder, turn, state, length);
  const form = frame === null ? analysed : inFrame(builder, analysed, state, frame);
  const keepsBefores = node.outputs.slice(outputs + states).some((id) => used.has(id));
  const obstacle =
    form.obstacle ?? (keepsBefores ? "the state is used without contracting it" : null);
  const plan =
    obstacle === null && form.key.length > 0
      ? planChunk(builder, form, inputs[0]!, length.size, options.chunk ?? chunk)
      : null;
  const family = frame === null ? familyOf(builder, form, inputs[0]!) : "F6";
  if (plan !== null) {
    report(family, `chunk ${plan.chunk}`, null);
    const result = chunkForm(builder, node, inputs, form, plan);
    const final = frame === null ? result.final : lastTurned(builder, frame, result.final, length);
    return replace([...result.outputs, final]);
  }
  if (form.erases.length > 0)
    return keepRecurrent(family, obstacle ?? "its writes are no outer products");
  report(family, "scan", null);
  return replace(linearForm(builder, node, inputs, form, frame));
}

/** True when a scan with copies of states, as of their chunks' starts, was replaced. */
function rewriteChunkStart(
  builder: GraphBuilder,
  graph: Graph,
  node: NodeOf<"scan">,
  inputs: readonly ValueId[],
  known: Map<ValueId, ValueId>,
  used: ReadonlySet<ValueId>,
  options: FormOptions,
  reports: RecurrenceReport[],
  held: Held,
): boolean {
  const { axis, body, states } = node.attributes;
  const own = ownStates(node, held);
  const state = own.map((i) => body.inputs[i]!.name).join(", ");
  const recurrent = (reason: string): false => {
    reports.push({ function: graph.name, state, family: "F7", form: "recurrent", reason });
    return false;
  };
  if (axis !== "time")
    return recurrent("every memory of a `mix` begins its chunks at tokens of its own");
  if (options.packed ?? true)
    return recurrent("documents begin anywhere in a packed row, and their chunks with them");
  const outputs = body.outputs.length - states;
  // behind a chunk that is filled up the states are those of tokens that are not there
  if (node.outputs.slice(outputs).some((id) => used.has(id)))
    return recurrent("the state is used without contracting it");
  const made = chunkStartForm(builder, node, inputs, held, insideChunk);
  if ("reason" in made) return recurrent(made.reason);
  reports.push({
    function: graph.name,
    state,
    family: "F7",
    form: `chunk ${held.size}`,
    reason: null,
  });
  made.outputs.forEach((id, i) => {
    const original = node.outputs[i]!;
    const { name } = graph.values[original]!;
    known.set(original, name === null ? id : builder.label(id, name));
  });
  return true;
}
