/** The form of what is left of a chunk-start step within one chunk: recurrences that are affine in their states. */

import type { GraphBuilder } from "../../ir/builder.js";
import type { NodeOf, ValueId } from "../../ir/graph.js";
import { findAxis } from "../../ir/types.js";
import { cascadeForm } from "./cascade-form.js";
import { cascadeOf } from "./cascade.js";
import type { ChunkStep } from "./per-chunk.js";
import { chunkForm, planChunk } from "./chunk.js";
import { linearForm } from "./linear-form.js";
import { Analysis } from "./normal-form.js";
import { stagesOf } from "./stages.js";
import { inFrame, lastTurned, turningFrame } from "./turn.js";

export interface NoForm {
  readonly reason: string;
}

/**
 * The recurrences of one chunk without a loop: of states that feed each other as a cascade; else state by
 * state, by matrix products where the state is only read by contractions, by an elementwise scan where
 * another state needs all of it.
 */
export function insideChunk(
  builder: GraphBuilder,
  node: NodeOf<"scan">,
  inputs: readonly ValueId[],
): ChunkStep | NoForm {
  const { body, states, sequences, resets, restart } = node.attributes;
  const first = resets ? states + 1 : states;
  const stages = stagesOf(node);
  if (stages === null) return { reason: "within a chunk its states step by each other" };
  if (stages.some(({ takes }) => takes.length > 0)) {
    const cascade = cascadeOf(builder, node, inputs);
    if (cascade !== null) return cascadeForm(builder, node, inputs, cascade);
  }
  /** Values of the body for all tokens. */
  const made = new Map<ValueId, ValueId>();
  const finals: ValueId[] = [];
  for (const { state, body: own, takes, gives } of stages) {
    const attributes = {
      ...node.attributes,
      body: own,
      states: 1,
      sequences: sequences + takes.length,
      restart: [restart[state]!],
      label: body.inputs[state]!.name,
    };
    const given = [
      inputs[state]!,
      ...inputs.slice(states, first),
      ...takes.map((id) => made.get(id)!),
      ...inputs.slice(first),
    ];
    const result = oneState(builder, { ...node, attributes, inputs: given }, given);
    if ("reason" in result) return result;
    gives.forEach((id, i) => made.set(id, result.outputs[i]!));
    finals[state] = result.finals[0]!;
  }
  return { outputs: body.outputs.slice(states).map(({ value }) => made.get(value)!), finals };
}

function oneState(
  builder: GraphBuilder,
  node: NodeOf<"scan">,
  inputs: readonly ValueId[],
): ChunkStep | NoForm {
  const state = builder.type(inputs[0]!);
  const analysed = new Analysis(builder, node, state).run(inputs);
  if (analysed.kind === "not affine") return analysed;
  const along = inputs
    .map((id) => findAxis(builder.type(id), node.attributes.axis))
    .find((found) => found !== undefined);
  if (along === undefined) return { reason: "its step uses nothing of the token" };
  const { turn } = analysed;
  const frame = turn === null ? null : turningFrame(builder, turn, state, along);
  const form = frame === null ? analysed : inFrame(builder, analysed, state, frame);
  const plan =
    form.obstacle === null && form.key.length > 0
      ? planChunk(builder, form, inputs[0]!, along.size, along.size)
      : null;
  if (plan !== null) {
    const { outputs, final } = chunkForm(builder, node, inputs, form, plan);
    return { outputs, finals: [frame === null ? final : lastTurned(builder, frame, final, along)] };
  }
  if (form.erases.length > 0)
    return { reason: form.obstacle?.reason ?? "its writes are no outer products" };
  const results = linearForm(builder, node, inputs, form, frame);
  const outputs = node.attributes.body.outputs.length - 1;
  return { outputs: results.slice(0, outputs), finals: [results[outputs]!] };
}
