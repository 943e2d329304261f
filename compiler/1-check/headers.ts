/** The axes in a layer's header, `x: [heads, key]`: names that may be axes, and no sizes. */

import type { AxisEntry, LayerDeclaration } from "../../grammar/ast.js";
import { messages } from "../diagnostics/messages.generated.js";
import type { Reporter } from "../diagnostics/report.js";
import { reservedAxes } from "./elaborate/axes.js";

/** Whether every input's axes can be bound; what cannot is reported. */
export function headerFits({ parameters }: LayerDeclaration, reporter: Reporter): boolean {
  const entries = parameters.flatMap(({ annotation }) =>
    annotation !== null && "entries" in annotation ? annotation.entries : [],
  );
  return entries.map((entry) => entryFits(entry, reporter)).every(Boolean);
}

function entryFits({ value, size, span }: AxisEntry, reporter: Reporter): boolean {
  if (value.kind === "error") return false; // the parser has reported it
  if (value.kind !== "name" || size !== null) {
    reporter.report(messages.headerAxis(), [
      { span, text: value.kind === "name" ? "the size is its caller's" : "not a name" },
    ]);
    return false;
  }
  if (!reservedAxes.has(value.name)) return true;
  reporter.report(messages.reservedAxis({ name: value.name }), [
    { span: value.span, text: "added by the compiler" },
  ]);
  return false;
}
