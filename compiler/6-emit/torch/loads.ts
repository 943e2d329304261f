/** The loads of routes, which trainers log: each is noted by the class whose own steps make it. */

import type { Graph, ValueId } from "../../ir/graph.js";
import type { FunctionPrinter } from "./function-text.js";
import type { Region } from "./regions.js";
import type { GraphView } from "./steps.js";

/** What a function measures of itself, beside what the blocks it calls do. */
export function ownMetrics(graph: Graph): Graph["metrics"] {
  const called = new Set(graph.nodes.flatMap((node) => (node.op === "call" ? node.outputs : [])));
  return graph.metrics.filter(({ value }) => !called.has(value));
}

interface Noted {
  readonly value: ValueId;
  /** Its path below the region's module. */
  readonly name: string;
}

/** The measurements that a region's own steps make. */
export function notedIn(view: GraphView, { path, items }: Region): Noted[] {
  const made = new Set(items.flatMap((item) => (item.kind === "step" ? item.step.outputs : [])));
  return ownMetrics(view.graph)
    .filter(({ value }) => made.has(view.source(value)))
    .map(({ name, value }) => ({ value, name: path === "" ? name : name.slice(path.length + 1) }));
}

export function printNotes(
  printer: FunctionPrinter,
  notes: readonly Noted[],
  helpers: Set<string>,
): void {
  for (const { value, name } of notes) {
    helpers.add("note_load");
    const own = name === "load" ? "" : `, ${JSON.stringify(name)}`;
    printer.line(`note_load(self, ${printer.result(value)}${own})`);
  }
}
