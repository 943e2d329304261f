/** The collectives of one stage in one training step: what its functions send, how often, and what the weights cost. */

import type { MeshAxis } from "../1-check/blocks/tables/mesh.js";
import { byteCount } from "../ir/types.js";
import type { Crossing } from "./crossing.js";
import { type MeshShape, groupSize, present } from "./mesh-shape.js";
import type { OwnParameter } from "./parameters.js";
import {
  type Collective,
  type CollectiveKind,
  type PlacedParameter,
  type Work,
  computeBytes,
  gradientBytes,
} from "./placement.js";
import type { Pipeline } from "./stages.js";

/** What one device sends of `bytes`, with n devices in a ring (Thakur et al., 2005). */
const sentBy: Readonly<Record<CollectiveKind, (bytes: number, n: number) => number>> = {
  "all-gather": (bytes, n) => (bytes * (n - 1)) / n,
  "reduce-scatter": (bytes, n) => (bytes * (n - 1)) / n,
  "all-reduce": (bytes, n) => (2 * bytes * (n - 1)) / n,
  "all-to-all": (bytes, n) => (bytes * (n - 1)) / n,
  "send-recv": (bytes) => bytes,
};

/**
 * What carries gradients back over the way that values came. A state's backward pass gathers the adjoint maps
 * (recurrences.md §4); gradients of keys and values that were gathered are added up and scattered.
 */
function adjoint({ kind, what }: Crossing): CollectiveKind {
  return kind === "all-gather" && !what.startsWith("state ") ? "reduce-scatter" : kind;
}

export class CollectiveList {
  readonly found: Collective[] = [];

  constructor(
    private readonly shape: MeshShape,
    private readonly work: Work,
    private readonly recompute: boolean,
  ) {}

  private add(entry: Omit<Collective, "group" | "sent">): void {
    const group = groupSize(this.shape, entry.axes);
    if (group === 1 || entry.bytes === 0 || entry.times === 0) return;
    this.found.push({ ...entry, group, sent: sentBy[entry.kind](entry.bytes, group) });
  }

  /** @param calls how often a step's part runs the function on the stage */
  function(
    block: string | null,
    parameters: readonly OwnParameter[],
    crossings: readonly Crossing[],
    calls: number,
  ): void {
    const { parts, precision } = this.work;
    const times = calls * parts;
    const again = this.recompute && block !== null;
    for (const [what, own] of grouped(parameters)) {
      const { fsdp: axes } = own[0]!;
      const trained = own.filter(({ trainable }) => trainable);
      const [whole, held] = [sum(trained, "gathered"), sum(trained, "held")];
      const bytes = computeBytes[precision] * sum(own, "gathered");
      const base = { what, block, axes };
      this.add({ ...base, kind: "all-gather", pass: "forward", bytes, times });
      this.add({ ...base, kind: "all-gather", pass: "backward", bytes, times });
      const gradients = { ...base, what: what.replace("weights", "gradients") };
      this.add({
        ...gradients,
        kind: "reduce-scatter",
        pass: "backward",
        bytes: gradientBytes * whole,
        times,
      });
      this.add({
        ...gradients,
        kind: "all-reduce",
        axes: present(this.shape, ["dp_replicate"]),
        pass: "update", // once all parts have added to it
        bytes: gradientBytes * held,
        times: calls,
      });
    }
    for (const crossing of crossings) {
      const { kind, axes, what, elements, width, when } = crossing;
      const bytes = elements * (width ?? computeBytes[precision]);
      const base = { axes, what, block, bytes, times };
      if (when !== "backward") this.add({ ...base, kind, pass: "forward" });
      if (when !== "backward" && again) this.add({ ...base, kind, pass: "again" });
      if (when !== "forward")
        this.add({
          ...base,
          kind: when === "backward" ? kind : adjoint(crossing),
          pass: "backward",
        });
    }
  }

  pipeline(stage: number, { sends, calls }: Pipeline): void {
    const { parts, precision } = this.work;
    const base = {
      axes: ["pp"] as MeshAxis[],
      block: null,
      kind: "send-recv" as const,
      times: parts,
    };
    const bytesOf = (from: number): number =>
      (sends[from] ?? []).reduce((all, type) => all + byteCount(type, computeBytes[precision]), 0);
    const what = "activations of the last block";
    this.add({ ...base, what, pass: "forward", bytes: bytesOf(stage) });
    const before = (stage + calls.length - 1) % calls.length;
    this.add({
      ...base,
      what: "gradients of the first block",
      pass: "backward",
      bytes: bytesOf(before),
    });
  }

  /** Parameters that several stages have: their gradients are added up between these. */
  tied(stage: number, parameters: readonly PlacedParameter[]): void {
    for (const { path, stages, held, trainable } of parameters)
      if (trainable && stages.length > 1 && stages.includes(stage)) {
        const bytes = gradientBytes * held;
        const group = stages.length;
        const sent = sentBy["all-reduce"](bytes, group);
        const what = `gradients of the tied ${path}`;
        this.found.push({
          kind: "all-reduce",
          axes: ["pp"],
          group,
          what,
          block: null,
          pass: "update",
          bytes,
          sent,
          times: 1,
        });
      }
  }
}

/** Weights that FSDP shards over the same axes travel as one. */
function grouped(parameters: readonly OwnParameter[]): Map<string, OwnParameter[]> {
  const groups = new Map<string, OwnParameter[]>();
  for (const parameter of parameters) {
    const what = parameter.expert ? "weights of experts" : "weights";
    if (parameter.fsdp.length > 0 || parameter.axes.length > 0)
      groups.set(what, [...(groups.get(what) ?? []), parameter]);
  }
  return groups;
}

const sum = (parameters: readonly OwnParameter[], of: "held" | "gathered"): number =>
  parameters.reduce((all, parameter) => all + parameter[of], 0);
