/**
 * Checks what may feed the step of a state: a step knows one token and the states before it.
 *
 * What reaches over many tokens (a convolution, attention, a mean over tokens) or runs elsewhere (a route,
 * a block) cannot depend on a state and be part of its step at once. A lagged value can: it is a state too.
 */

import { messages } from "../diagnostics/messages.generated.js";
import type { Label } from "../diagnostics/diagnostic.js";
import type { Reporter } from "../diagnostics/report.js";
import type { Graph, Node } from "../ir/graph.js";
import type { OpName } from "../ir/ops.js";
import { findSteps } from "../ir/steps.js";

/** A value this many tokens back is still kept in states of its own. */
export const longestLag = 16;

/** How the user writes the ops that reach beyond a token, which no step may hold. */
export const writtenOps: Readonly<Partial<Record<OpName, string>>> = {
  lag: "prev",
  conv: "conv",
  attend: "attend",
  top_k: "top_k",
  token_mean: "over_tokens",
  mix: "mix",
  call: "chain",
};

/** Reports every node of a graph that cannot be part of the step it is part of; true when there is none. */
export function checkSteps(graph: Graph, reporter: Reporter): boolean {
  let sound = true;
  for (const { states, nodes } of findSteps(graph).cycles) {
    const { name, span } = graph.states[states[0]!]!;
    for (const at of nodes) {
      const node = graph.nodes[at]!;
      const op = writtenOps[node.op];
      if (op === undefined || isShortLag(node)) continue;
      sound = false;
      const own = graph.values[node.outputs[0]!]!.span;
      const state: Label[] = span ? [{ span, text: "the state it feeds" }] : [];
      const short = name.slice(name.lastIndexOf(".") + 1);
      reporter.report(messages.notInStep({ op, state: short }), [
        ...(own ? [{ span: own, text: `depends on \`${short}\`, and feeds its step` }] : []),
        ...state,
      ]);
    }
  }
  return sound;
}

const isShortLag = (node: Node): boolean => node.op === "lag" && node.attributes.by <= longestLag;
