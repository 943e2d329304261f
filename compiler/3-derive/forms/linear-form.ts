/**
 * The form of a state that is changed elementwise, h_t = a_t ⊗ h_{t−1} ⊕ b_t: one `linear_scan` over the whole
 * sequence (family F5, running sums and angles, max-plus stabilisers). What the step reads of its state is
 * then computed for all tokens at once, from the states before and after each step.
 */

import type { GraphBuilder } from "../../ir/builder.js";
import type { NodeOf, ValueId } from "../../ir/graph.js";
import { findAxis, hasAxis, withoutAxes } from "../../ir/types.js";
import { statesBefore } from "../../ir/states-before.js";
import { liftValues } from "./lift.js";
import { type Frame, turned } from "./turn.js";
import type { NormalForm } from "./normal-form.js";
import type { Tropical } from "./tropical.js";

/** Replaces a scan; gives its outputs: those of the body, the last state, the states before each step. */
export function linearForm(
  b: GraphBuilder,
  node: NodeOf<"scan">,
  inputs: readonly ValueId[],
  step: NormalForm | Tropical,
  frame: Frame | null, // in which the step is given
): readonly ValueId[] {
  const { axis, body, resets, restart } = node.attributes;
  const initial = inputs[0]!;
  const starts = resets ? inputs[1]! : null;
  const length = inputs.map((id) => findAxis(b.type(id), axis)).find((found) => found)!;
  const [batch, ...rest] = b.type(initial).axes;
  const axes = [batch!, length, ...withoutAxes(rest, [axis])];
  const whole = (x: ValueId): ValueId => b.conform(x, axes);
  const atStarts = (there: ValueId, elsewhere: ValueId): ValueId =>
    starts === null ? elsewhere : b.map("select", starts, there, elsewhere);

  const found =
    "floor" in step
      ? maxPlusStates(b, step, initial, axis, atStarts, whole, restart[0]!)
      : affineStates(b, step, initial, axis, atStarts, whole, restart[0]!);
  const passed = statesBefore(b, found, initial, axis, false);
  const outOf = (x: ValueId, angle: "now" | "before"): ValueId =>
    frame === null ? x : whole(turned(b, x, frame.turn, frame[angle]));
  const states = outOf(found, "now");
  const before = atStarts(b.constant(restart[0]!), outOf(passed, "before"));
  const first = resets ? 2 : 1;
  const known = new Map<ValueId, ValueId>([[body.inputs[0]!.value, before]]);
  body.inputs.slice(1).forEach(({ value }, i) => known.set(value, inputs[first + i]!));
  known.set(body.outputs[0]!.value, states);
  const wanted = body.outputs.slice(1).map(({ value }) => value);
  const outputs = liftValues(b, body, known, wanted).map((id) =>
    hasAxis(b.type(id), axis) ? id : b.conform(id, [length, ...b.type(id).axes]),
  );
  const last = b.sum(b.slice(states, axis, length.size - 1, 1), [axis]);
  return [...outputs, last, before];
}

type AtStarts = (there: ValueId, elsewhere: ValueId) => ValueId;

/** S_t = Λ_t ∘ S_{t−1} + Σ writes; at a document's start Λ is 0, and Λ ∘ restart is written. */
function affineStates(
  b: GraphBuilder,
  { gate, writes, modulus }: NormalForm,
  initial: ValueId,
  axis: string,
  atStarts: AtStarts,
  whole: (x: ValueId) => ValueId,
  restart: number,
): ValueId {
  const decay = gate ?? b.constant(1);
  const written = writes.length === 0 ? b.constant(0) : writes.reduce(b.add);
  const begun = b.add(written, b.mul(decay, b.constant(restart)));
  const attributes = {
    axis,
    semiring: "plus-times",
    modulus,
    reverse: false,
    ties: "state",
  } as const;
  return b.op("linear_scan", attributes, [
    atStarts(b.constant(0), decay),
    whole(restart === 0 ? written : atStarts(begun, written)),
    initial,
  ]);
}

/** Far below any number a step compares with, and far from where float32 ends. */
const never = -1e30;

/** m_t = max(f_t + m_{t−1}, i_t); a minimum is the maximum of what is negated. */
function maxPlusStates(
  b: GraphBuilder,
  { shift, floor, ties, negated }: Tropical,
  initial: ValueId,
  axis: string,
  atStarts: AtStarts,
  whole: (x: ValueId) => ValueId,
  restart: number,
): ValueId {
  const sign = (x: ValueId): ValueId => (negated ? b.neg(x) : x);
  const moved = sign(b.add(shift, b.constant(restart)));
  const begun =
    ties === "state" ? b.map("maximum", moved, sign(floor)) : b.map("maximum", sign(floor), moved);
  const attributes = { axis, semiring: "max-plus", modulus: null, reverse: false, ties } as const;
  const found = b.op("linear_scan", attributes, [
    atStarts(b.constant(never), sign(shift)),
    whole(atStarts(begun, sign(floor))),
    sign(initial),
  ]);
  return sign(found);
}
