/** Recurrences, delta rules and elementwise scans as calls. */

import type { NodeOf } from "../../ir/graph.js";
import { recurrenceText } from "./recurrence-text.js";
import { type Text, atom } from "./text.js";
import { type Writer, names } from "./writer.js";

type Recurrence = NodeOf<"recurrence">["attributes"];

/** A recurrence; a delta rule where β, and a key of its own to erase by, stand behind its other operands. */
export function recurrence(attributes: Recurrence, erasing: boolean | null, w: Writer): Text {
  const zero = w.s.isZero(w.inputs[0]!);
  const operands = w.inputs.map((_, i) =>
    i === 0 && zero ? { text: atom("None"), axes: w.axes(0) } : w.operand(i),
  );
  const eraseKey = erasing === true ? operands.pop()! : null;
  const delta = erasing === null ? null : { beta: operands.pop()!, eraseKey };
  w.s.use(delta ? "delta_rule" : "recurrence");
  const initial = zero ? null : w.text(0);
  return recurrenceText(attributes, delta, operands, w.output, w.s.letters, initial, w.s.cache);
}

/** (a, b, positions): a with the axes it has, ready to broadcast. */
export function stateScan({ attributes }: NodeOf<"state_scan">, w: Writer): Text {
  const { semiring, modulus, ties, restart } = attributes;
  const args = [
    w.broadcast(2).text,
    w.ordered(3, names(w.output)),
    w.text(1).text,
    ...(restart === 0 ? [] : [`restart=${restart}`]),
    ...(modulus === null ? [] : [`modulus=${modulus}`]),
    ...(semiring === "max-plus" && ties === "input" ? ['ties="input"'] : []),
    ...w.s.cache.map((cache) => `cache=${cache}`),
  ];
  return w.helper(semiring === "max-plus" ? "maxplus_scan" : "linear_scan", args);
}
