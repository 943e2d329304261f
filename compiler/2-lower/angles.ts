/**
 * States that are only ever angles are kept in [0, 2π).
 *
 * An angle that grows with every token soon has no digits left behind the point: float32 tells 2 000 000 from 2 000 000.1 no more.
 * Where a state is a running sum, and all that is ever made of it are its sines, its cosines and rotations by it, whole
 * turns make no difference, so each step takes them off:
 *
 *     φ ← φ + x   becomes   φ ← (φ + x) mod 2π
 */

import type { Graph, Node, Value, ValueId } from "../ir/graph.js";
import type { OpName } from "../ir/ops.js";
import { scalar } from "../ir/types.js";

const turn = 2 * Math.PI;

/** Through these an angle stays one. */
const moves: ReadonlySet<OpName> = new Set<OpName>([
  "expand",
  "rename",
  "slice",
  "split",
  "merge",
  "lag",
]);

export function reducedAngles(graph: Graph): Graph {
  const readers = new Map<ValueId, Node[]>();
  for (const node of graph.nodes)
    for (const id of new Set(node.inputs)) readers.set(id, [...(readers.get(id) ?? []), node]);
  const results = [...graph.outputs, ...graph.penalties, ...graph.updates];
  const given = new Set(results.map(({ value }) => value));

  /** Whether whole turns of a value make no difference to anything but the next value of `state`. */
  const isAngle = (id: ValueId, state: string): boolean =>
    !given.has(id) &&
    (readers.get(id) ?? []).every((node) => {
      if (node.op === "write")
        return node.attributes.state === state && isAngle(node.outputs[0]!, state);
      if (node.op === "rotate") return node.inputs[0] !== id;
      if (moves.has(node.op)) return isAngle(node.outputs[0]!, state);
      if (node.op !== "map") return false;
      const { fn } = node.attributes;
      if (fn === "sin" || fn === "cos") return true;
      return (fn === "add" || fn === "sub" || fn === "neg") && isAngle(node.outputs[0]!, state);
    });

  const reduced = new Set<Node>();
  for (const { name } of graph.states) {
    const own = graph.nodes.filter(
      (node) => (node.op === "state" || node.op === "write") && node.attributes.state === name,
    );
    const [begin, write, ...more] = own;
    if (begin?.op !== "state" || write?.op !== "write" || more.length > 0) continue;
    if (write.attributes.chunk !== null || !sums(graph, begin.outputs[0]!, write.inputs[0]!))
      continue;
    if (isAngle(begin.outputs[0]!, name) && isAngle(write.outputs[0]!, name)) reduced.add(write);
  }
  return reduced.size === 0 ? graph : withTurnsOff(graph, reduced);
}

/** Whether a written value is the state as it was, once, plus what does not depend on it. */
function sums(graph: Graph, state: ValueId, written: ValueId): boolean {
  const times = new Map<ValueId, number>([[state, 1]]); // how often a value has the state in it; NaN: in other ways
  for (const node of graph.nodes) {
    const own = node.inputs.map((id) => times.get(id) ?? 0);
    if (node.op === "state" || own.every((count) => count === 0)) continue;
    const [x = 0, y = 0] = own;
    const fn = node.op === "map" ? node.attributes.fn : null;
    const count = fn === "add" ? x + y : fn === "sub" ? x - y : node.op === "expand" ? x : NaN;
    for (const id of node.outputs) times.set(id, count);
  }
  return times.get(written) === 1;
}

function withTurnsOff(graph: Graph, writes: ReadonlySet<Node>): Graph {
  const values: Value[] = [...graph.values];
  const nodes = graph.nodes.flatMap((node): Node[] => {
    if (!writes.has(node)) return [node];
    const [sum] = node.inputs as [ValueId];
    const { region } = node;
    const { type, span } = values[sum]!;
    const fresh = (value: Value): ValueId => values.push(value) - 1;
    const whole = fresh({ type: scalar, name: null, span, origin: null });
    const rest = fresh({ type, name: null, span, origin: null });
    return [
      { op: "constant", attributes: { value: turn }, inputs: [], outputs: [whole], region },
      { op: "map", attributes: { fn: "mod" }, inputs: [sum, whole], outputs: [rest], region },
      { ...node, inputs: [rest] },
    ];
  });
  return { ...graph, values, nodes };
}
