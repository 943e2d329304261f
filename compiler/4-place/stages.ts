/**
 * Pipeline stages: which blocks of the stack go where, where what lies outside of the blocks goes, and what is sent
 * from stage to stage.
 *
 * The stack is cut into runs of blocks, as even as they get. What `main` does before the first block is the first
 * stage's, what it does behind the last one the last stage's, and what stands between two blocks belongs to the former.
 */

import type { PipelineSchedule } from "../1-check/blocks/mesh.js";
import type { Graph, Module, ValueId } from "../ir/graph.js";
import { type TensorType, hasAxis } from "../ir/types.js";

export interface StageCall {
  readonly path: string;
  readonly callee: string;
}

export interface Pipeline {
  /** Of each stage: the blocks that `main` calls, in order. */
  readonly calls: readonly (readonly StageCall[])[];
  /** The stages that use each of `main`'s own parameters, by its path. */
  readonly own: ReadonlyMap<string, readonly number[]>;
  /** Values that a stage sends to the next one, `sends[s]` from s to s + 1 (round the ring when stages are interleaved). */
  readonly sends: readonly (readonly TensorType[])[];
  /** Runs of blocks on each device: several when they are interleaved. */
  readonly chunks: number;
}

export function pipelineOf(
  { functions, main }: Module,
  stages: number,
  schedule: PipelineSchedule | null,
): Pipeline {
  const graph = functions.get(main)!;
  const blocks = graph.nodes.filter(({ op }) => op === "call").length;
  const chunks = schedule === "interleaved_1f1b" && blocks >= 2 * stages ? 2 : 1;
  const runs = stages * chunks;
  const placed = placeNodes(graph, blocks, runs);
  const stageOf = (run: number): number => run % stages;
  const calls: StageCall[][] = Array.from({ length: stages }, () => []);
  graph.nodes.forEach((node, i) => {
    if (node.op !== "call") return;
    const { prefix, callee } = node.attributes;
    calls[stageOf(placed[i]!)]!.push({ path: prefix, callee });
  });
  const own = new Map<string, readonly number[]>();
  for (const { path, value } of graph.parameters) {
    const used = graph.nodes.flatMap((node, i) =>
      node.inputs.includes(value) ? [stageOf(placed[i]!)] : [],
    );
    own.set(path, used.length === 0 ? [0] : [...new Set(used)].sort((a, b) => a - b));
  }
  return { calls, own, sends: sendsOf(graph, placed, stages, runs), chunks };
}

/** The run of blocks that each node of `main` belongs to. */
function placeNodes({ nodes }: Graph, blocks: number, runs: number): number[] {
  let [seen, at] = [0, 0];
  return nodes.map((node) => {
    if (node.op === "call") {
      at = Math.floor((seen * runs) / Math.max(blocks, 1));
      seen += 1;
    }
    return seen === blocks ? runs - 1 : at;
  });
}

/** A value goes through all stages between the one that makes it and the last one that reads it. */
function sendsOf(
  graph: Graph,
  placed: readonly number[],
  stages: number,
  runs: number,
): TensorType[][] {
  const sends: TensorType[][] = Array.from({ length: stages }, () => []);
  const made = new Map<ValueId, number>();
  const anywhere = new Set<ValueId>(graph.inputs.map(({ value }) => value)); // each stage reads the batch
  const weights = new Set<ValueId>(graph.parameters.map(({ value }) => value));
  const last = new Map<ValueId, number>();
  graph.nodes.forEach((node, i) => {
    const free = node.op !== "call" && node.inputs.every((id) => anywhere.has(id));
    const ofWeights = node.inputs.length > 0 && node.inputs.every((id) => weights.has(id));
    for (const id of node.outputs)
      if (free) anywhere.add(id);
      else if (ofWeights && node.op !== "call") weights.add(id);
      else made.set(id, placed[i]!);
    for (const id of node.inputs) last.set(id, Math.max(last.get(id) ?? 0, placed[i]!));
  });
  for (const [id, from] of made) {
    const { type } = graph.values[id]!;
    if (!hasAxis(type, "batch")) continue; // penalties: numbers that the last stage adds up
    for (let run = from; run < Math.min(last.get(id) ?? from, runs - 1); run += 1)
      sends[run % stages]!.push(type);
  }
  return sends;
}

/** Parts of a batch (times runs of blocks) whose activations a stage keeps at one time. */
export function inFlight(
  stage: number,
  stages: number,
  parts: number,
  chunks: number,
  schedule: PipelineSchedule | null,
): number {
  if (stages === 1) return 1;
  if (schedule === "gpipe") return parts;
  if (chunks === 1) return Math.min(parts, stages - stage);
  // Narayanan et al., 2021: of a device's chunks, so many are begun before the first backward pass ends one
  return Math.min(parts * chunks, 2 * (stages - stage - 1) + (chunks - 1) * stages + 1) / chunks;
}
