/**
 * Routes: brings the tokens of every expert together (`slots`), and back.
 *
 * Each token makes k picks, so there are time × k slots, whatever the choice: shapes are static and no
 * step waits for the host. Slots are sorted by expert, stably, so each expert's tokens keep their order,
 * and a document within an expert is one run of slots with positions 0, 1, 2, … of its own.
 */

import type { NodeOf, ValueId } from "../ir/graph.js";
import { hasAxis } from "../ir/types.js";
import { type Lowering, type SequenceContext, outside } from "./context.js";

/** Sets up the sequence of a mix's region from its lowered weights and choices [batch, time, choice]. */
export function openRoute(
  lowering: Lowering,
  mix: NodeOf<"mix">,
  weights: ValueId,
  choices: ValueId,
): SequenceContext {
  const { builder, batch, time } = lowering;
  const { experts, region } = mix.attributes;
  const full = [batch, time, ...builder.type(choices).axes.filter((axis) => axis.name === "choice")];
  const k = builder.size(choices, "choice");
  const flat = (x: ValueId): ValueId =>
    builder.op("merge", { outer: "time", inner: "choice", into: "picks" }, [builder.conform(x, full)]);
  const slots = { name: "slots", size: time.size * k };
  const expertOfPick = flat(builder.map("stop", choices));
  const order = builder.rename(builder.op("argsort", { axis: "picks" }, [expertOfPick]), { picks: "slots" });
  const expert = builder.op("take", { axis: "picks" }, [expertOfPick, order]);
  const timeOfSlot = builder.map("to_int", builder.map("floor", builder.div(order, builder.constant(k))));
  const outer = lowering.sequences.get(outside)!;
  const context: SequenceContext = {
    axis: slots,
    positions: slotPositions(lowering, outer.positions, expert, timeOfSlot),
    route: {
      experts,
      time,
      expertOfSlot: builder.map("to_int", expert),
      timeOfSlot,
      weightOfSlot: builder.op("take", { axis: "picks" }, [flat(weights), order]),
    },
  };
  lowering.sequences.set(region, context);
  return context;
}

/** [batch, slots]: how many slots of the same expert and document come before. */
function slotPositions(lowering: Lowering, positions: ValueId, expert: ValueId, timeOfSlot: ValueId): ValueId {
  const { builder, time } = lowering;
  const starts = builder.map("eq", positions, builder.constant(0));
  const running = { fn: "sum", axis: "time", reverse: false, exclusive: false } as const;
  const document = builder.op("cumulate", running, [starts]);
  const documentOfSlot = builder.op("take", { axis: "time" }, [document, timeOfSlot]);
  // one number per (expert, document), never 0, which stands before the first slot
  const scaled = builder.mul(expert, builder.constant(time.size + 2));
  const key = builder.add(builder.add(scaled, documentOfSlot), builder.constant(1));
  const before = builder.op("shift", { axis: "slots", by: 1 }, [key]);
  const index = builder.iota({ name: "slots", size: builder.size(key, "slots") });
  const start = builder.map("select", builder.map("ne", key, before), index, builder.constant(0));
  const latest = builder.op("cumulate", { fn: "max", axis: "slots", reverse: false, exclusive: false }, [start]);
  return builder.sub(index, latest);
}

/** A token value [batch, time, …] brought into a region: its row for every slot. */
export function enterRoute(lowering: Lowering, sequence: SequenceContext, value: ValueId): ValueId {
  const { builder } = lowering;
  if (!hasAxis(builder.type(value), "time")) return value;
  return builder.op("take", { axis: "time" }, [value, sequence.route!.timeOfSlot]);
}

/** A region's result back on its tokens: Σ over a token's picks of weight · result. */
export function leaveRoute(lowering: Lowering, sequence: SequenceContext, value: ValueId): ValueId {
  const { builder, batch, time } = lowering;
  const { weightOfSlot, timeOfSlot } = sequence.route!;
  const weighted = builder.mul(value, weightOfSlot);
  const rest = builder.type(weighted).axes.filter((axis) => axis.name !== "batch" && axis.name !== "slots");
  const full = builder.conform(weighted, [batch, sequence.axis, ...rest]);
  return builder.op("put", { axis: time, over: ["slots"] }, [timeOfSlot, full]);
}

/** A value that every expert has its own of [experts, …]: the row of each slot's expert. */
export function rowOfExpert(lowering: Lowering, sequence: SequenceContext, value: ValueId): ValueId {
  const { experts, expertOfSlot } = sequence.route!;
  if (!hasAxis(lowering.builder.type(value), experts.name)) return value;
  return lowering.builder.op("take", { axis: experts.name }, [value, expertOfSlot]);
}
