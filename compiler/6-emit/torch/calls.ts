/** Calls of blocks: one after the other as a loop, with the penalties of all of them summed. */

import type { Graph, Module, NodeOf, ValueId } from "../../ir/graph.js";
import type { FunctionPrinter } from "./function-text.js";
import type { GraphView } from "./steps.js";

/** Blocks that feed each other, written as `for block in self.blocks`. */
export interface Chain {
  readonly list: string; // the path of the list
  readonly calls: readonly NodeOf<"call">[];
}

/** Whether blocks give a penalty beside their result: all do when one does. */
export function anyPenalty(module: Module): boolean {
  return [...module.functions].some(
    ([name, { penalties }]) => name !== module.main && penalties.length > 0,
  );
}

/** The chains of a graph: blocks 0 … n − 1 of one list, the result of each going to the next alone. */
export function chainsOf(view: GraphView): Map<NodeOf<"call">, Chain> {
  const calls = view.graph.nodes.filter((node) => node.op === "call");
  const chains = new Map<NodeOf<"call">, Chain>();
  const starts = calls.filter(({ attributes }) => attributes.prefix.endsWith(".0"));
  for (const first of starts) {
    const list = first.attributes.prefix.slice(0, -2);
    const chain = [first];
    for (;;) {
      const last = chain[chain.length - 1]!;
      const next = calls.find(
        ({ attributes, inputs }) =>
          attributes.prefix === `${list}.${chain.length}` &&
          view.same(inputs[0]!, last.outputs[0]!) &&
          view.usedOnce(last.outputs[0]!),
      );
      if (!next) break;
      chain.push(next);
    }
    const all = calls.filter(({ attributes }) => attributes.prefix.startsWith(`${list}.`));
    if (chain.length < 2 || all.length !== chain.length) continue;
    for (const call of chain) chains.set(call, { list, calls: chain });
  }
  return chains;
}

/**
 * Prints a call, or a whole chain at its first. `total` names the sum of penalties so far, "_" where nobody
 * wants them; null where blocks give none.
 */
export function printCall(
  printer: FunctionPrinter,
  node: NodeOf<"call">,
  chains: ReadonlyMap<NodeOf<"call">, Chain>,
  total: string | null,
  cached: boolean,
): void {
  const chain = chains.get(node);
  if (chain && chain.calls[0] !== node) return; // printed with the first
  const last = chain ? chain.calls[chain.calls.length - 1]! : node;
  const stem = printer.view.graph.values[last.outputs[0]!]!.name ?? "x";
  const axes = printer.view.axes(last.outputs[0]!);
  const [x, ...others] = node.inputs.map((id) => printer.text(id).text);
  const rest = cached ? [...others, "cache"] : others;
  if (chain) {
    const name = printer.fresh(stem, axes);
    printer.line(`${name} = ${x!}`);
    printer.line(`for block in ${printer.member(chain.list)}:`);
    const args = [name, ...rest].join(", ");
    if (total === null) printer.lines.push(`            ${name} = block(${args})`);
    else {
      const penalty = total === "_" ? "_" : "penalty";
      printer.lines.push(`            ${name}, ${penalty} = block(${args})`);
      if (total !== "_") printer.lines.push(`            ${total} = ${total} + penalty`);
    }
    printer.set(last.outputs[0]!, name);
    return;
  }
  const name = printer.fresh(stem, axes);
  const call = `${printer.member(node.attributes.prefix)}(${[x, ...rest].join(", ")})`;
  if (total === null) printer.line(`${name} = ${call}`);
  else {
    printer.line(`${name}, ${total === "_" ? "_" : "penalty"} = ${call}`);
    if (total !== "_") printer.line(`${total} = ${total} + penalty`);
  }
  printer.set(node.outputs[0]!, name);
}

/** The penalties that a function adds itself, beside those of the blocks it calls. */
export function ownPenalties(graph: Graph): ValueId[] {
  const called = new Set(graph.nodes.flatMap((node) => (node.op === "call" ? node.outputs : [])));
  return graph.penalties.map(({ value }) => value).filter((id) => !called.has(id));
}

export function ownUpdates(graph: Graph): Graph["updates"] {
  const called = new Set(graph.nodes.flatMap((node) => (node.op === "call" ? node.outputs : [])));
  return graph.updates.filter(({ value }) => !called.has(value));
}
