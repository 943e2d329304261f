/**
 * Routes without sequences: experts that look at single tokens may sort the tokens of the whole batch at
 * once, so that each expert's tokens lie together and one grouped matrix product serves them all.
 */

import type { ValueId } from "../../ir/graph.js";
import { hasAxis } from "../../ir/types.js";
import type { GraphView, Step } from "./steps.js";
import type { Region } from "./regions.js";

/** What tells a token of one row from that of another. */
const alongTime = new Set<string>([
  "scan",
  "recurrence",
  "delta_rule",
  "conv",
  "short_conv",
  "attend",
  "delay",
  "shift",
  "slot_positions",
  "state_scan",
  "selective_scan",
  "call",
  "solve",
]);

/** The inputs to lay in one row when a region routes tokens and does nothing else along time; else null. */
export function routedInOneRow(view: GraphView, region: Region): readonly ValueId[] | null {
  const steps = stepsIn(region);
  if (!steps.some(({ op }) => op === "argsort")) return null;
  if (steps.some(({ op }) => alongTime.has(op))) return null;
  const axes = region.inputs.map((id) => view.axes(id).map(({ name }) => name));
  const fits = axes.every((own) => {
    const varies = own.includes("batch") || own.includes("time");
    return !varies || (own[0] === "batch" && own[1] === "time");
  });
  const outputs = region.outputs.every((id) => {
    const own = view.graph.values[id]!.type;
    return (
      !hasAxis(own, "batch") || (own.axes[0]!.name === "batch" && own.axes[1]!.name === "time")
    );
  });
  const inputs = region.inputs.filter((id) => view.axes(id)[0]?.name === "batch");
  return fits && outputs && inputs.length > 0 ? inputs : null;
}

function stepsIn(region: Region): Step[] {
  return region.items.flatMap((item) =>
    item.kind === "step" ? [item.step] : stepsIn(item.region),
  );
}
