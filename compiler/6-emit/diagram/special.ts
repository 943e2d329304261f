/** What boxes say that are more than a formula: states, routes, attention. */

import type { Expression } from "../../../grammar/ast.js";
import type { Graph, Node, StateInfo } from "../../ir/graph.js";
import { findAxis } from "../../ir/types.js";
import { axesText } from "./axes-text.js";
import type { Line } from "./drawing.js";
import { bytes } from "./figures.js";

export function stateLines(
  states: readonly StateInfo[],
  size: number,
  formulas: readonly string[],
  forms: ReadonlyMap<string, string>,
): Line[] {
  const short = (name: string): string => name.slice(name.lastIndexOf(".") + 1);
  const declared = states.map(({ name, axes }, i): Line => ({
    text: `state ${short(name)}: ${axesText(axes)}`,
    style: "title",
    ...(i === 0 ? { beside: bytes(size) } : {}),
  }));
  const form = states.map(({ name }) => forms.get(name)).find((text) => text !== undefined);
  return [
    ...declared,
    ...formulas.map((text): Line => ({ text, style: "code" })),
    ...(form === undefined ? [] : [{ text: form, style: "faint" } as const]),
  ];
}

/** A choice of k of n, and the axis of what was chosen. */
export function routeLines(
  name: string,
  nodes: readonly Node[],
  { values }: Graph,
): { readonly lines: Line[]; readonly choice: string } {
  const node = nodes.find(({ op }) => op === "top_k");
  const title: Line = { text: name, style: "title" };
  if (node?.op !== "top_k") return { lines: [title], choice: "" };
  const { into, axis } = node.attributes;
  const size = findAxis(values[node.inputs[0]!]!.type, axis)!.size;
  return {
    lines: [title, { text: `top ${into.size} of ${size} ${axis}`, style: "text" }],
    choice: axesText([into]),
  };
}

/** What a softmax attention in an expression is like; nothing when it has none. */
export function attendLines(nodes: readonly Node[], parts: readonly Expression[]): Line[] {
  if (!parts.some((part) => part.kind === "call" && part.callee.name === "attend")) return [];
  const node = nodes.find(({ op }) => op === "attend");
  if (node?.op !== "attend") return [];
  const { window, causal } = node.attributes;
  const seen =
    window === null ? (causal ? "all tokens before" : "all tokens") : `a window of ${window}`;
  return [{ text: `${causal ? "causal " : ""}softmax over ${seen}`, style: "text" }];
}
