/**
 * What one device of each pipeline stage needs, by walking the scheduled training step with the sizes that a device
 * has of every buffer: what is kept for the backward pass, and the most that is alive beside it.
 *
 * `main` is cut where the placement cuts it: steps between two calls belong to the stage of the former. With
 * `recompute blocks` a block's residuals are made anew in its backward pass, one block at a time.
 */

import { baseName } from "../4-place/along.js";
import { groupSize } from "../4-place/mesh-shape.js";
import {
  type Placement,
  type Stage,
  computeBytes,
  gradientBytes,
  lossChunkElements,
} from "../4-place/placement.js";
import { allResults } from "../ir/graph.js";
import type { Program, ProgramFunction, Step } from "../ir/program.js";
import { type TensorType, byteCount, elementCount, hasAxis } from "../ir/types.js";
import { type BytesOf, type Memory, makersOf, programMemory } from "./memory.js";

/** Bytes on one device. */
export interface DeviceMemory {
  /** Weights in float32, and as many gradients: the device's shards. */
  readonly weights: number;
  readonly gradients: number;
  /** Two moments in float32: AdamW's, of which Muon has one. */
  readonly optimizer: number;
  /** Whole weights of the block that is computed and of the next one, which is being gathered, or a copy of all in low precision. */
  readonly gathered: number;
  /** Kept from the forward to the backward pass, of all parts of a batch in flight. */
  readonly activations: number;
  /** The most that kernels have beside these at one time. */
  readonly working: number;
  /** The largest tensor that a collective moves. */
  readonly buffer: number;
}

export const memoryParts = [
  "weights",
  "gradients",
  "optimizer",
  "gathered",
  "activations",
  "working",
  "buffer",
] as const satisfies (keyof DeviceMemory)[];

export const totalMemory = (memory: DeviceMemory): number =>
  memoryParts.reduce((sum, part) => sum + memory[part], 0);

/**
 * @param program gradients of the device's own part of a batch, its kernels as calls (4-place/kernel-calls.ts)
 * @param prediction the model's, whose values the loss computes and drops in chunks
 */
export function deviceMemory(
  placement: Placement,
  program: Program,
  prediction: TensorType,
): DeviceMemory[] {
  const bytesOf = deviceBytes(placement, program);
  const memory = programMemory(program, bytesOf);
  return placement.stages.map((stage) => {
    const { kept, peak } = walkStage(placement, stage, program, prediction, memory, bytesOf);
    const own = placement.parameters.filter(({ stages }) => stages.includes(stage.index));
    const held = sum(own, ({ held: elements }) => elements);
    const trained = sum(own, (parameter) => (parameter.trainable ? parameter.held : 0));
    return {
      weights: 4 * held,
      gradients: gradientBytes * trained,
      optimizer: 2 * 4 * trained,
      gathered: gatheredBytes(placement, stage),
      activations: kept * stage.inFlight,
      working: peak - kept,
      buffer: Math.max(0, ...stage.collectives.map(({ bytes }) => bytes)),
    };
  });
}

const sum = <T>(all: readonly T[], of: (one: T) => number): number =>
  all.reduce((total, one) => total + of(one), 0);

/** The function of the model that a function of its gradients was made of. */
const originOf = (name: string): string =>
  name.replace(/\.(forward|backward)$/, "").replace(/: .*$/, "");

/** A buffer's bytes on one device: an axis that is shared out is, wherever it occurs. */
function deviceBytes({ shape, work, sharedAxes }: Placement, { main }: Program): BytesOf {
  const [tp, ep] = [groupSize(shape, ["tp"]), groupSize(shape, ["ep"])];
  return (type: TensorType, fn: string): number => {
    const shared = sharedAxes.get(originOf(fn)) ?? sharedAxes.get(main)!;
    const ofToken = hasAxis(type, "batch");
    const byHeads = type.axes.some(({ name }) => shared.tp.has(baseName(name)));
    const byExperts =
      !ofToken && type.axes.length > 1 && type.axes.some(({ name }) => shared.experts.has(name));
    const width = type.dtype === "int" || !ofToken ? 4 : computeBytes[work.precision];
    return byteCount(type, width) / (byHeads ? tp : 1) / (byExperts ? ep : 1);
  };
}

/** Whole weights that are there at one time. */
function gatheredBytes({ parameters, work, shape }: Placement, { index, blocks }: Stage): number {
  const width = computeBytes[work.precision];
  const own = parameters.filter(({ stages }) => stages.includes(index));
  const bytes = (from: typeof own): number => width * sum(from, ({ gathered }) => gathered);
  if (groupSize(shape, ["dp_shard", "cp", "ep"]) === 1) return width === 4 ? 0 : bytes(own);
  const units = ["", ...blocks.map(({ path }) => path)].map((path) =>
    bytes(own.filter(({ block }) => block === path)),
  );
  return Math.max(...units.map((unit, i) => unit + (units[i + 1] ?? 0)));
}

interface Walked {
  readonly kept: number; // at the end of the stage's forward pass
  readonly peak: number;
}

function walkStage(
  { recompute, work }: Placement,
  stage: Stage,
  program: Program,
  prediction: TensorType,
  memory: ReadonlyMap<string, Memory>,
  bytesOf: BytesOf,
): Walked {
  const main = program.functions.get(program.main)!;
  const mine = new Set(stage.blocks.map(({ path }) => path));
  const gradients = new Set(
    main.outputs.flatMap(({ name, buffer }) => (name.startsWith("grad.") ? [buffer] : [])),
  );
  const makers = makersOf(main.steps);
  const bytes = (id: number): number =>
    bytesOf(main.buffers[id]!.type, makers.get(id) ?? program.main);
  const counted = new Map<number, number>(); // alive, with their bytes
  const logits = new Set<number>(); // alive, with their gradients: a chunk of them in all
  const chunk =
    computeBytes[work.precision] * Math.min(elementCount(prediction), lossChunkElements);
  const residuals = new Map<string, number>(); // of each block, where they are made anew
  let [live, kept, peak] = [0, 0, 0];
  let backward = false;
  const make = (id: number): void => {
    if (gradients.has(id) || counted.has(id)) return; // gradients are scattered as soon as they are there
    if (sameAxes(main.buffers[id]!.type, prediction)) {
      if (logits.size === 0) live += chunk;
      logits.add(id);
      peak = Math.max(peak, live);
      return;
    }
    counted.set(id, bytes(id));
    live += bytes(id);
    peak = Math.max(peak, live);
  };
  const owners = stagesOfSteps(main, mine);
  main.steps.forEach((step, i) => {
    if (step.kind === "free") {
      live -= counted.get(step.buffer) ?? 0;
      counted.delete(step.buffer);
      if (logits.delete(step.buffer) && logits.size === 0) live -= chunk;
      return;
    }
    if (!owners[i]) return;
    if (step.kind === "alloc" && !makers.has(step.buffer)) make(step.buffer);
    if (step.kind !== "call") return;
    const callee = program.functions.get(step.callee)!;
    const made = allResults(callee);
    if (isBackward(step) && !backward) {
      backward = true;
      kept = live;
    }
    const again = isBackward(step) ? (residuals.get(step.prefix) ?? 0) : 0;
    peak = Math.max(peak, live + again + memory.get(step.callee)!.peak);
    step.outputs.forEach((id, at) => {
      if (id === null) return;
      const port = made[at]!;
      const name = "name" in port ? port.name : "";
      if (recompute && name.startsWith("residual."))
        residuals.set(step.prefix, (residuals.get(step.prefix) ?? 0) + bytes(id));
      else if (!name.startsWith("grad.")) make(id);
    });
  });
  return { kept: backward ? kept : live, peak };
}

const sameAxes = (a: TensorType, b: TensorType): boolean =>
  a.axes.length === b.axes.length &&
  a.axes.every(({ name, size }) => b.axes.some((axis) => axis.name === name && axis.size === size));

type Call = Extract<Step, { readonly kind: "call" }>;
const isBackward = ({ callee }: Call): boolean => callee.endsWith(".backward");

/** Which steps of `main` belong to a stage: those of its blocks, and what follows them up to the next call. */
function stagesOfSteps({ steps }: ProgramFunction, mine: ReadonlySet<string>): boolean[] {
  const calls = steps.filter((step) => step.kind === "call");
  const first = calls[0];
  let own = first === undefined || mine.has(first.prefix);
  return steps.map((step) => {
    if (step.kind === "call") own = mine.has(step.prefix);
    return own;
  });
}
