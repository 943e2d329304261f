/**
 * Lagged values inside a step, as states of their own.
 *
 * `prev(x)` of a value that depends on a state and feeds its step cannot be a shift along time, since x of
 * the last token is only known once that token's step is done. It is a state that x is written to; `by`
 * tokens ago is a chain of as many.
 */

import type { Graph, Node, NodeOf, StateInfo, Value, ValueId } from "../ir/graph.js";
import { findSteps } from "../ir/steps.js";

/** The graph with states in place of the lags that are part of a step. */
export function lagsAsStates(graph: Graph): Graph {
  const lags = new Set(
    findSteps(graph)
      .cycles.flatMap(({ nodes }) => nodes.map((at) => graph.nodes[at]!))
      .filter((node) => node.op === "lag"),
  );
  if (lags.size === 0) return graph;
  const values: Value[] = [...graph.values];
  const states: StateInfo[] = [...graph.states];
  const nodes: Node[] = graph.nodes.flatMap((node) =>
    node.op === "lag" && lags.has(node) ? chain(node) : [node],
  );
  return { ...graph, values, states, nodes };

  function chain({ attributes, inputs, outputs, region }: NodeOf<"lag">): Node[] {
    const made: Node[] = [];
    const { type, span, name: own } = values[inputs[0]!]!;
    const fresh = (): ValueId => values.push({ type, name: null, span, origin: null }) - 1;
    let newer = inputs[0]!;
    for (let ago = 1; ago <= attributes.by; ago += 1) {
      const name = `${own ?? "value"}_${ago}_ago_${states.length}`;
      states.push({ name, axes: type.axes, initial: 0, region, span });
      const old = ago === attributes.by ? outputs[0]! : fresh();
      made.push({ op: "state", attributes: { state: name }, inputs: [], outputs: [old], region });
      made.push({
        op: "write",
        attributes: { state: name, chunk: null },
        inputs: [newer],
        outputs: [fresh()],
        region,
      });
      newer = old;
    }
    return made;
  }
}
