/**
 * The normal form of a recurrence (recurrences.md §1), found symbolically in any step that is affine:
 *
 *     S_t = Λ_t ∘ S_{t-1} + Σ a_t (b_tᵀ S_{t-1}) + Σ k_t v_tᵀ
 *     y_t = c_t ∘ (q_tᵀ S) + u_t,   S the state after (or before) the step
 *
 * The step is run on symbols: what does not depend on the state is computed for all tokens at once, in
 * the graph around the scan; what does is kept as the terms above.
 */

import type { Span } from "../../../grammar/ast.js";
import type { GraphBuilder } from "../../ir/builder.js";
import type { Node, NodeOf, ValueId } from "../../ir/graph.js";
import type { TensorType } from "../../ir/types.js";
import { boundsOf } from "../../ir/bounds.js";
import {
  type Affine,
  type Form,
  StateAlgebra,
  notAffine,
  readAcross,
  untouched,
} from "./affine-in-state.js";
import { covering } from "./layout.js";
import { liftNode } from "./lift.js";
import { type Turn, equalInPairs } from "./turn.js";

/** a (bᵀ S): `b` is contracted with the state over the key, `a` multiplies the result. */
export interface Erase {
  readonly a: ValueId;
  readonly b: ValueId;
}

export interface Read {
  readonly query: ValueId;
  readonly scale: ValueId | null; // c
  readonly plus: ValueId | null; // u
  readonly when: "old" | "new";
}

export interface NormalForm {
  readonly kind: "affine";
  readonly key: readonly string[]; // the axes that reads contract
  readonly gate: ValueId | null; // Λ; null is 1
  readonly modulus: number | null; // the state is kept in [0, modulus); without gate and erases
  readonly turn: Turn | null; // Λ ∘ R S instead of Λ ∘ S, R a rotation of pairs
  readonly erases: readonly Erase[];
  readonly writes: readonly ValueId[]; // each k vᵀ, not yet factored
  readonly reads: readonly Read[]; // one for each output of the scan, when there is no obstacle
  /** Why the chunk form cannot be used although the step is affine. */
  readonly obstacle: Obstacle | null;
}

/** Why a step has no normal form, or a normal form no chunk form, in words for the user; and the term at fault. */
export interface Obstacle {
  readonly reason: string;
  readonly span: Span | null;
}

export interface NotAffine extends Obstacle {
  readonly kind: "not affine";
}

/** Micro-steps multiply the system that a chunk solves; of more than these, token by token is faster. */
const mostErases = 16;

export class Analysis {
  private readonly forms = new Map<ValueId, Form>();
  private readonly algebra: StateAlgebra;

  constructor(
    private readonly b: GraphBuilder,
    private readonly node: NodeOf<"scan">,
    private readonly state: TensorType,
  ) {
    this.algebra = new StateAlgebra(b, state);
  }

  /** `inputs` are the scan's inputs in the graph around it, in order. */
  run(inputs: readonly ValueId[]): NormalForm | NotAffine {
    const { body, states, resets, restart } = this.node.attributes;
    if (states !== 1) {
      const names = body.inputs.slice(0, states).map(({ name }) => `\`${name}\``);
      return notAffine(`${names.join(" and ")} step by each other`);
    }
    const first = resets ? 2 : 1;
    const [state] = body.inputs;
    this.forms.set(state!.value, { ...untouched, when: "old" });
    body.inputs
      .slice(1)
      .forEach(({ value }, i) =>
        this.forms.set(value, { kind: "free", value: inputs[first + i]! }),
      );
    const news = body.outputs[0]!.value;
    let step: Form = this.forms.get(news) ?? notAffine("the step does not read its state");
    for (const node of body.nodes) {
      const found = this.apply(node);
      const { span } = body.values[node.outputs[0]!]!;
      const form = found.kind === "not affine" ? { ...found, span: found.span ?? span } : found;
      this.forms.set(node.outputs[0]!, form);
      if (node.outputs[0] !== news) continue;
      step = form;
      // from here on the new state is a symbol of its own
      this.forms.set(news, { ...untouched, when: "new" });
    }
    if (step.kind === "not affine") return step;
    if (step.kind !== "state" || step.when !== "old")
      return notAffine("the step does not read its state");
    const { gate, modulus, turn, writes } = step;
    const { key: contracted } = this.algebra;
    if (turn !== null && gate !== null && !equalInPairs(this.b, gate, turn.over))
      return notAffine("its gate differs within the pairs that it rotates");
    if (turn !== null && restart.some((value) => value !== 0))
      return notAffine("it rotates a state that does not start at 0");
    const across = turn !== null && contracted !== null && !contracted.includes(turn.over);
    if (across && step.erases.length > 0) return notAffine(readAcross);
    if (step.erases.length > mostErases) return notAffine("it has too many micro-steps");
    const key = contracted ?? [];
    const erases = step.erases.map(({ a, b }) => ({
      a: covering(this.b, a, key, this.state),
      b,
    }));
    const reads = body.outputs.slice(1).map(({ value }) => readOf(this.forms.get(value)!));
    const refused = reads.find((read) => "reason" in read);
    const negative = gate !== null && !(boundsOf(this.b, gate).low >= 0);
    const obstacle =
      refused ??
      (across
        ? { reason: readAcross, span: null }
        : restart.some((value) => value !== 0)
          ? { reason: "the state does not start at 0", span: null }
          : negative
            ? { reason: "its gate may be negative", span: this.b.values[gate]!.span }
            : null);
    return {
      kind: "affine",
      key,
      gate,
      modulus,
      turn,
      erases,
      writes,
      reads: reads as Read[],
      obstacle,
    };
  }

  private apply(node: Node): Form {
    const inputs: Affine[] = [];
    for (const id of node.inputs) {
      const form = this.forms.get(id)!;
      if (form.kind === "not affine") return form;
      inputs.push(form);
    }
    if (inputs.every((form) => form.kind === "free"))
      return {
        kind: "free",
        value: liftNode(
          this.b,
          node,
          inputs.map(({ value }) => value),
        ),
      };
    switch (node.op) {
      case "map":
        return this.map(node, inputs);
      case "rotate":
        return this.algebra.rotate(inputs[0]!, inputs[1]!, node.attributes);
      case "dot":
        return this.algebra.contract(inputs, node.attributes.over);
      case "reduce":
        return node.attributes.fn === "sum"
          ? this.algebra.contract(
              [inputs[0]!, { kind: "free", value: this.b.constant(1) }],
              node.attributes.over,
            )
          : notAffine("a maximum of the state is not affine in it");
      default:
        return notAffine(`\`${node.op}\` of the state is not part of the normal form`);
    }
  }

  private map(node: NodeOf<"map">, inputs: readonly Affine[]): Form {
    const { fn } = node.attributes;
    const x = inputs[0]!;
    const y = inputs[1] ?? x;
    if (fn === "mod") return this.algebra.modulo(x, y);
    if (inputs.some((form) => form.kind === "state" && form.modulus !== null))
      return notAffine("the state is changed after `mod`");
    if (fn === "neg") return this.algebra.scale(x, this.b.constant(-1));
    if (fn === "select" && x.kind === "free") return this.algebra.choose(x.value, y, inputs[2]!);
    if (fn === "add") return this.algebra.add(x, y);
    if (fn === "sub") {
      const negated = this.algebra.scale(y, this.b.constant(-1));
      return negated.kind === "not affine" ? negated : this.algebra.add(x, negated);
    }
    if (fn === "mul" && x.kind === "free") return this.algebra.scale(y, x.value);
    if (fn === "mul" && y.kind === "free") return this.algebra.scale(x, y.value);
    if (fn === "div" && y.kind === "free")
      return this.algebra.scale(x, this.b.map("reciprocal", y.value));
    if (fn === "mul" || fn === "div") return notAffine("the state is multiplied with itself");
    return notAffine(`\`${fn}\` of the state is not affine in it`);
  }
}

/** An output of the step as a read. */
function readOf(form: Form): Read | NotAffine {
  if (form.kind === "not affine") return form;
  if (form.kind !== "read" || form.terms.length !== 1)
    return notAffine("the state is used without contracting it");
  const { scale, b } = form.terms[0]!;
  return { query: b, scale, plus: form.plus, when: form.when };
}
