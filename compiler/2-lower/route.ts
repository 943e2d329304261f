/**
 * Routes: brings the tokens of every expert together (`slots`), and back.
 *
 * Each token makes k picks, so there are time × k slots, whatever the choice: shapes are static and no
 * step waits for the host. Slots are sorted by expert, stably, so each expert's tokens keep their order,
 * and a document within an expert is one run of slots with positions 0, 1, 2, … of its own.
 */

import type { NodeOf, ValueId } from "../ir/graph.js";
import { hasAxis, withoutAxes } from "../ir/types.js";
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
  const full = [
    batch,
    time,
    ...builder.type(choices).axes.filter((axis) => axis.name === "choice"),
  ];
  const k = builder.size(choices, "choice");
  const flat = (x: ValueId): ValueId =>
    builder.op("merge", { outer: "time", inner: "choice", into: "picks" }, [
      builder.conform(x, full),
    ]);
  const slots = { name: "slots", size: time.size * k };
  const expertOfPick = flat(builder.map("stop", choices));
  const order = builder.rename(builder.op("argsort", { axis: "picks" }, [expertOfPick]), {
    picks: "slots",
  });
  const expert = builder.op("take", { axis: "picks" }, [expertOfPick, order]);
  const timeOfSlot = builder.map(
    "to_int",
    builder.map("floor", builder.div(order, builder.constant(k))),
  );
  const expertOfSlot = builder.map("to_int", expert);
  const { positions } = lowering.sequences.get(outside)!;
  const context: SequenceContext = {
    axis: slots,
    positions: builder.op("slot_positions", { experts }, [expertOfSlot, timeOfSlot, positions]),
    route: {
      experts,
      time,
      expertOfSlot,
      timeOfSlot,
      weightOfSlot: builder.op("take", { axis: "picks" }, [flat(weights), order]),
    },
  };
  lowering.sequences.set(region, context);
  return context;
}

/** A token value [batch, time, …] brought into a region: its row for every slot; a window's [batch, …] is that of all. */
export function enterRoute(lowering: Lowering, sequence: SequenceContext, value: ValueId): ValueId {
  const { builder, batch } = lowering;
  const { axes } = builder.type(value);
  if (!hasAxis(builder.type(value), "batch")) return value;
  if (!hasAxis(builder.type(value), "time"))
    return builder.conform(value, [batch, sequence.axis, ...withoutAxes(axes, ["batch"])]);
  return builder.op("take", { axis: "time" }, [value, sequence.route!.timeOfSlot]);
}

/** A region's result back on its tokens: Σ over a token's picks of weight · result. */
export function leaveRoute(lowering: Lowering, sequence: SequenceContext, value: ValueId): ValueId {
  const { builder, batch, time } = lowering;
  const { weightOfSlot, timeOfSlot } = sequence.route!;
  const weighted = builder.mul(value, weightOfSlot);
  const rest = builder
    .type(weighted)
    .axes.filter((axis) => axis.name !== "batch" && axis.name !== "slots");
  const full = builder.conform(weighted, [batch, sequence.axis, ...rest]);
  return builder.op("put", { axis: time, over: ["slots"] }, [timeOfSlot, full]);
}

/** A value that every expert has its own of [experts, …]: the row of each slot's expert. */
export function rowOfExpert(
  lowering: Lowering,
  sequence: SequenceContext,
  value: ValueId,
): ValueId {
  const { experts, expertOfSlot } = sequence.route!;
  if (!hasAxis(lowering.builder.type(value), experts.name)) return value;
  return lowering.builder.op("take", { axis: experts.name }, [value, expertOfSlot]);
}
