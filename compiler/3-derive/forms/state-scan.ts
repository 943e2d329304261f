/**
 * The form of a state that is changed elementwise, for targets with a scan of their own: one `state_scan` gives the states
 * behind every step, a `delay` those before it, and what the step reads of them is computed for all tokens at once.
 */

import type { GraphBuilder } from "../../ir/builder.js";
import type { NodeOf, ValueId } from "../../ir/graph.js";
import { type Axis, type TensorType, findAxis, hasAxis, withoutAxes } from "../../ir/types.js";
import { liftValues } from "./lift.js";
import type { NormalForm } from "./normal-form.js";
import { type Frame, type Turn, turned } from "./turn.js";
import type { Tropical } from "./tropical.js";

/** The body's outputs for all tokens, and the states before each step; the step is given in `frame`, if there is one. */
export function stateScanForm(
  b: GraphBuilder,
  node: NodeOf<"scan">,
  inputs: readonly ValueId[],
  positions: ValueId,
  step: NormalForm | Tropical,
  frame: Frame | null,
): { readonly outputs: readonly ValueId[]; readonly before: ValueId } {
  const { axis, body, restart, label } = node.attributes;
  const initial = inputs[0]!;
  const length = findAxis(b.type(positions), axis)!;
  const axes = allAxes(b.type(initial), length);
  const begin = restart[0]!;
  const found = "floor" in step ? maxPlus(step) : affine(step);
  const named = b.label(found, label.replace(/.*\./, ""));
  const states = frame === null ? named : b.conform(turned(b, named, frame.turn, frame.now), axes);
  const passed = statesBefore(b, named, positions, axis, begin);
  const before =
    frame === null ? passed : b.conform(turned(b, passed, frame.turn, frame.before), axes);
  const known = new Map<ValueId, ValueId>([[body.inputs[0]!.value, before]]);
  body.inputs.slice(1).forEach(({ value }, i) => known.set(value, inputs[2 + i]!));
  known.set(body.outputs[0]!.value, states);
  const wanted = body.outputs.slice(1).map(({ value }) => value);
  const outputs = liftValues(b, body, known, wanted).map((id) =>
    hasAxis(b.type(id), axis) ? id : b.conform(id, [length, ...b.type(id).axes]),
  );
  return { outputs, before };

  function affine({ gate, writes, modulus }: NormalForm): ValueId {
    const written = writes.length === 0 ? b.constant(0) : writes.reduce(b.add);
    const attributes = {
      axis,
      semiring: "plus-times",
      modulus,
      ties: "state",
      restart: begin,
    } as const;
    const decay = gate ?? b.constant(1);
    return b.op("state_scan", attributes, [initial, positions, decay, b.conform(written, axes)]);
  }

  /** A minimum is the maximum of what is negated. */
  function maxPlus({ shift, floor, ties, negated }: Tropical): ValueId {
    const sign = (x: ValueId): ValueId => (negated ? b.neg(x) : x);
    const attributes = {
      axis,
      semiring: "max-plus",
      modulus: null,
      ties,
      restart: negated ? -begin : begin,
    } as const;
    const operands = [sign(initial), positions, sign(shift), b.conform(sign(floor), axes)];
    return sign(b.op("state_scan", attributes, operands));
  }
}

/** φ_t = θ₁ + … + θ_t within each document, and φ_{t−1}. */
export function documentFrame(
  b: GraphBuilder,
  turn: Turn,
  state: TensorType,
  positions: ValueId,
  length: Axis,
): Frame {
  const own = withoutAxes(b.type(turn.angle).axes, [state.axes[0]!.name, length.name]);
  const initial = b.zeros([state.axes[0]!, ...own]);
  const angle = b.conform(turn.angle, [state.axes[0]!, length, ...own]);
  const attributes = {
    axis: length.name,
    semiring: "plus-times",
    modulus: 2 * Math.PI,
    ties: "state",
    restart: 0,
  } as const;
  const now = b.op("state_scan", attributes, [initial, positions, b.constant(1), angle]);
  return { turn, now, before: statesBefore(b, now, positions, length.name, 0) };
}

/** The states before each step: those of the token before, or where there is none, the first. */
function statesBefore(
  b: GraphBuilder,
  states: ValueId,
  positions: ValueId,
  axis: string,
  begin: number,
): ValueId {
  const first = b.constant(begin);
  const moved = begin === 0 ? states : b.sub(states, first);
  const delayed = b.op("delay", { axis, by: 1 }, [moved, positions]);
  return begin === 0 ? delayed : b.add(delayed, first);
}

function allAxes(state: TensorType, length: Axis): readonly Axis[] {
  const [batch, ...rest] = state.axes;
  return [batch!, length, ...withoutAxes(rest, [length.name])];
}
