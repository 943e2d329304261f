/**
 * States that their step rotates (family F6): S_t = Λ_t ∘ R(θ_t) S_{t−1} + …, complex decays written in real numbers.
 *
 * With φ_t = θ₁ + … + θ_t, the state seen in a frame that turns with it, S̃_t = R(−φ_t) S_t, is not rotated:
 *
 *     S̃_t = Λ_t ∘ S̃_{t−1} + Σ R(−φ_t) a_t ((R(−φ_{t−1}) b_t)ᵀ S̃_{t−1}) + Σ R(−φ_t) k_t v_tᵀ
 *     q_tᵀ S_t = (R(−φ_t) q_t)ᵀ S̃_t
 *
 * for gates that are equal within a pair. φ is kept modulo 2π, so it is as exact at the end of a long text as at
 * its beginning; only differences of it matter, so documents need not reset it.
 */

import type { GraphBuilder } from "../../ir/builder.js";
import type { Node, ValueId } from "../../ir/graph.js";
import { statesBefore } from "../../ir/states-before.js";
import { type Axis, type TensorType, hasAxis, withoutAxes } from "../../ir/types.js";
import { covering } from "./layout.js";
import type { NormalForm } from "./normal-form.js";

/** By what a state's pairs along `over` turn in a step. */
export interface Turn {
  readonly angle: ValueId;
  readonly over: string;
  readonly pairs: string;
}

/** φ_t and φ_{t−1}. */
export interface Frame {
  readonly turn: Turn;
  readonly now: ValueId;
  readonly before: ValueId;
}

/** x turned by an angle; of a product, the one factor that has the axis. */
export function turned(
  b: GraphBuilder,
  x: ValueId,
  { over, pairs }: Omit<Turn, "angle">,
  angle: ValueId,
): ValueId {
  const node = b.producer(x);
  if (node?.op === "map" && node.attributes.fn === "mul") {
    const [left, right] = node.inputs as [ValueId, ValueId];
    const [inLeft, inRight] = [left, right].map((id) => hasAxis(b.type(id), over));
    if (inLeft !== inRight)
      return inLeft
        ? b.mul(turned(b, left, { over, pairs }, angle), right)
        : b.mul(left, turned(b, right, { over, pairs }, angle));
  }
  return b.op("rotate", { over, pairs }, [x, angle]);
}

/** Whether both elements of every pair of a gate are the same, as far as the way it was made says so. */
export function equalInPairs(b: GraphBuilder, gate: ValueId, over: string): boolean {
  if (!hasAxis(b.type(gate), over)) return true;
  const node: Node | undefined = b.producer(gate);
  switch (node?.op) {
    case "concat":
      return (
        node.attributes.axis === over &&
        node.inputs.length === 2 &&
        node.inputs[0] === node.inputs[1]
      );
    case "map":
    case "expand":
      return node.inputs.every((id) => equalInPairs(b, id, over));
    default:
      return false;
  }
}

/** The angles that a sequence has turned by, up to each token. */
export function turningFrame(b: GraphBuilder, turn: Turn, state: TensorType, axis: Axis): Frame {
  const batch = state.axes[0]!;
  const own = withoutAxes(b.type(turn.angle).axes, [batch.name, axis.name]);
  const initial = b.zeros([batch, ...own]);
  const angle = b.conform(turn.angle, [batch, axis, ...own]);
  const now = b.op("linear_scan", { ...modulo, axis: axis.name }, [b.constant(1), angle, initial]);
  return { turn, now, before: statesBefore(b, now, initial, axis.name, false) };
}

const modulo = {
  semiring: "plus-times",
  modulus: 2 * Math.PI,
  reverse: false,
  ties: "state",
} as const;

/** The normal form in the turning frame, where nothing is rotated. */
export function inFrame(
  b: GraphBuilder,
  form: NormalForm,
  state: TensorType,
  { turn, now, before }: Frame,
): NormalForm {
  const [backNow, backBefore] = [b.neg(now), b.neg(before)];
  const by = (x: ValueId, angle: ValueId): ValueId =>
    turned(b, covering(b, x, [turn.over], state), turn, angle);
  return {
    ...form,
    turn: null,
    writes: form.writes.map((write) => by(write, backNow)),
    erases: form.erases.map((each) => ({ a: by(each.a, backNow), b: by(each.b, backBefore) })),
    reads:
      form.obstacle !== null
        ? form.reads
        : form.reads.map((read) => ({
            ...read,
            query: by(read.query, read.when === "new" ? backNow : backBefore),
          })),
  };
}

/** The last state out of the turning frame. */
export function lastTurned(
  b: GraphBuilder,
  { turn, now }: Frame,
  final: ValueId,
  axis: Axis,
): ValueId {
  const angle = b.sum(b.slice(now, axis.name, axis.size - 1, 1), [axis.name]);
  return b.conform(turned(b, final, turn, angle), b.type(final).axes);
}
