/** What values are called that the source has no name for. */

import { type Step, isFused } from "./steps.js";

/** By what makes them. */
const stems: Readonly<Record<string, string>> = {
  linear: "y",
  mean: "mean",
  softmax: "p",
  recurrence: "o",
  delta_rule: "o",
  scan: "o",
  take: "rows",
  argsort: "order",
  top_k: "picks",
  slot_positions: "place",
  cross_entropy: "loss",
  linear_cross_entropy: "loss",
  attend: "o",
};

export const stemOf = (step: Step): string => pathStem(step) ?? stems[step.op] ?? "h";

/** A layer's own name for its result: `self.gate(x)` is a gate. */
function pathStem(step: Step): string | null {
  if (!isFused(step) || !("path" in step.attributes)) return null;
  if (step.op === "linear_cross_entropy") return null;
  const name = step.attributes.path.split(".").pop()!;
  return /^(linear|rmsnorm|norm)/.test(name) || /^\d/.test(name) ? null : name;
}
