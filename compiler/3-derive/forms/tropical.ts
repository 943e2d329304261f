/**
 * Steps that are linear in the max-plus semiring: m ← max(m + f, i), and the same with `min`. Such a step is run
 * on symbols like an affine one, a state being kept as max(m + shift, floor).
 */

import type { GraphBuilder } from "../../ir/builder.js";
import type { Node, NodeOf, ValueId } from "../../ir/graph.js";
import { liftNode } from "./lift.js";

export interface Tropical {
  readonly shift: ValueId; // f
  readonly floor: ValueId; // i
  readonly ties: "state" | "input"; // whose gradient equal sides take
  readonly negated: boolean; // min instead of max
}

type Form =
  | { readonly kind: "free"; readonly value: ValueId }
  | { readonly kind: "state"; readonly shift: ValueId; readonly bound: Bound | null }
  | null; // neither

interface Bound {
  readonly floor: ValueId;
  readonly ties: "state" | "input";
  readonly negated: boolean;
}

/** The step of a scan over one state, as far as it is one; null if it is not. */
export function tropicalStep(
  b: GraphBuilder,
  node: NodeOf<"scan">,
  inputs: readonly ValueId[],
): Tropical | null {
  const { body, states, resets } = node.attributes;
  if (states !== 1) return null;
  const first = resets ? 2 : 1;
  const forms = new Map<ValueId, Form>();
  body.inputs.forEach(({ value }, i) =>
    forms.set(
      value,
      i === 0
        ? { kind: "state", shift: b.constant(0), bound: null }
        : { kind: "free", value: inputs[first + i - 1]! },
    ),
  );
  const news = body.outputs[0]!.value;
  for (const each of body.nodes) {
    const own = each.inputs.map((id) => forms.get(id)!);
    forms.set(each.outputs[0]!, apply(b, each, own));
    if (each.outputs[0] === news) break;
  }
  const step = forms.get(news) ?? null;
  if (step?.kind !== "state" || step.bound === null) return null;
  return { shift: step.shift, ...step.bound };
}

function apply(b: GraphBuilder, node: Node, inputs: readonly Form[]): Form {
  if (inputs.every((form) => form?.kind === "free"))
    return {
      kind: "free",
      value: liftNode(
        b,
        node,
        inputs.map(({ value }) => value),
      ),
    };
  if (node.op !== "map") return null;
  const { fn } = node.attributes;
  const [x, y] = inputs as readonly [Form, Form];
  if (fn === "add" && x?.kind === "state" && y?.kind === "free") return move(b, x, y.value);
  if (fn === "add" && x?.kind === "free" && y?.kind === "state") return move(b, y, x.value);
  if (fn === "sub" && x?.kind === "state" && y?.kind === "free") return move(b, x, b.neg(y.value));
  if (fn !== "maximum" && fn !== "minimum") return null;
  if (x?.kind === "state" && y?.kind === "free") return bound(b, fn, x, y.value, "state");
  if (x?.kind === "free" && y?.kind === "state") return bound(b, fn, y, x.value, "input");
  return null;
}

type State = Extract<Form, { readonly kind: "state" }>;

function move(b: GraphBuilder, { shift, bound }: State, by: ValueId): Form {
  const moved = bound && { ...bound, floor: b.add(bound.floor, by) };
  return { kind: "state", shift: b.add(shift, by), bound: moved };
}

/** A second bound is one with the first, if it is of the same kind and stands on the same side of the state. */
function bound(
  b: GraphBuilder,
  fn: "maximum" | "minimum",
  { shift, bound: first }: State,
  by: ValueId,
  ties: Bound["ties"],
): Form {
  const negated = fn === "minimum";
  if (first === null) return { kind: "state", shift, bound: { floor: by, ties, negated } };
  if (first.negated !== negated || first.ties !== ties) return null;
  const floor = ties === "state" ? b.map(fn, first.floor, by) : b.map(fn, by, first.floor);
  return { kind: "state", shift, bound: { floor, ties, negated } };
}
