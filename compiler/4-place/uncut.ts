/**
 * Recurrences that no mesh with cp can cut, because their shards are no affine map of a fixed size (affine-map.ts).
 *
 * Every check and every keystroke asks, so functions without a state of their own are not lowered, and who passes a
 * `Known` has each function looked at once, for as long as it stays the same object.
 */

import type { Model } from "../1-check/model.js";
import { type Sizes, lower } from "../2-lower/lower.js";
import { operandForms } from "../3-derive/forms/operands.js";
import { GraphBuilder } from "../ir/builder.js";
import { copyNode, openCopy } from "../ir/copy.js";
import type { Graph, Module } from "../ir/graph.js";
import { type NoMap, mapOfScan } from "./affine-map.js";

/** A recurrence that cannot be cut, and the function that has it. */
export interface Uncut extends NoMap {
  readonly block: string;
}

/** What was found of a function's token graph, for shards of so many tokens. */
export type Known = WeakMap<Graph, { readonly time: number; readonly found: readonly NoMap[] }>;

export function uncutRecurrences(
  { module }: Model,
  local: Sizes,
  known: Known = new WeakMap(),
): Uncut[] {
  const own = [...module.functions].filter(([, { states }]) => states.length > 0);
  const unseen = own.filter(([, graph]) => known.get(graph)?.time !== local.time);
  const { functions } = operandForms(lower(withCallees(module, unseen), local));
  for (const [name, graph] of unseen)
    known.set(graph, {
      time: local.time,
      found: uncutIn(functions.get(name)!, local.packed ?? true),
    });
  return own.flatMap(([block, graph]) =>
    known.get(graph)!.found.map((each) => ({ ...each, block })),
  );
}

/** Of a lowered graph whose recurrences are operands where they have a normal form. */
export function uncutIn(graph: Graph, packed: boolean): NoMap[] {
  const builder = new GraphBuilder(graph.name);
  const copies = openCopy(builder, graph);
  const found: NoMap[] = [];
  for (const node of graph.nodes) {
    if (node.op === "scan") {
      const inputs = node.inputs.map((id) => copies.get(id)!);
      const map = mapOfScan(builder, node, inputs, packed);
      if ("reason" in map) found.push(map);
    }
    copyNode(builder, graph, node, copies);
  }
  return found;
}

/** Some functions with all that they call, in the module's order. */
function withCallees(module: Module, wanted: readonly (readonly [string, Graph])[]): Module {
  const names = new Set<string>();
  const visit = (name: string): void => {
    if (names.has(name)) return;
    names.add(name);
    for (const node of module.functions.get(name)!.nodes)
      if (node.op === "call") visit(node.attributes.callee);
  };
  for (const [name] of wanted) visit(name);
  const functions = new Map([...module.functions].filter(([name]) => names.has(name)));
  return { main: module.main, functions };
}
