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
import { type TensorType, axisNames, hasAxis } from "../../ir/types.js";
import { boundsOf } from "../../ir/bounds.js";
import { covering } from "./layout.js";
import { liftNode } from "./lift.js";
import { type Turn, equalInPairs, turned } from "./turn.js";

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

/** gate ∘ S + Σ a (bᵀ S) + Σ writes, over the state before (`old`) or after (`new`) the step. */
interface StateForm {
  readonly kind: "state";
  readonly when: "old" | "new";
  readonly gate: ValueId | null;
  readonly modulus: number | null;
  readonly turn: Turn | null;
  readonly erases: readonly Erase[];
  readonly writes: readonly ValueId[];
}

/** Σ a (bᵀ S) + plus, without the key axes. */
interface ReadForm {
  readonly kind: "read";
  readonly when: "old" | "new";
  readonly terms: readonly { readonly scale: ValueId | null; readonly b: ValueId }[];
  readonly plus: ValueId | null;
}

/** Why a step has no normal form, or a normal form no chunk form, in words for the user; and the term at fault. */
export interface Obstacle {
  readonly reason: string;
  readonly span: Span | null;
}

export interface NotAffine extends Obstacle {
  readonly kind: "not affine";
}

type Affine = { readonly kind: "free"; readonly value: ValueId } | StateForm | ReadForm;
type Form = Affine | NotAffine;

const notAffine = (reason: string): NotAffine => ({ kind: "not affine", reason, span: null });

/** A state as it stands before anything is done to it. */
const untouched = {
  kind: "state",
  gate: null,
  modulus: null,
  turn: null,
  erases: [],
  writes: [],
} as const;

/** Micro-steps multiply the system that a chunk solves; of more than these, token by token is faster. */
const mostErases = 16;

export class Analysis {
  private readonly forms = new Map<ValueId, Form>();
  private key: readonly string[] | null = null;

  constructor(
    private readonly b: GraphBuilder,
    private readonly node: NodeOf<"scan">,
    private readonly state: TensorType,
  ) {}

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
    if (turn !== null && gate !== null && !equalInPairs(this.b, gate, turn.over))
      return notAffine("its gate differs within the pairs that it rotates");
    if (turn !== null && restart.some((value) => value !== 0))
      return notAffine("it rotates a state that does not start at 0");
    const across = turn !== null && this.key !== null && !this.key.includes(turn.over);
    if (across && step.erases.length > 0) return notAffine(readAcross);
    if (step.erases.length > mostErases) return notAffine("it has too many micro-steps");
    const key = this.key ?? [];
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

  /** Erases along one key are one erase. */
  private merged(erases: readonly Erase[]): Erase[] {
    const byKey = new Map<ValueId, ValueId>();
    for (const { a, b } of erases) {
      const known = byKey.get(b);
      byKey.set(b, known === undefined ? a : this.b.add(known, a));
    }
    return [...byKey].map(([b, a]) => ({ a, b }));
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
        return this.rotate(inputs[0]!, inputs[1]!, node.attributes);
      case "dot":
        return this.contract(inputs, node.attributes.over);
      case "reduce":
        return node.attributes.fn === "sum"
          ? this.contract(
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
    if (fn === "mod") return this.modulo(x, y);
    if (inputs.some((form) => form.kind === "state" && form.modulus !== null))
      return notAffine("the state is changed after `mod`");
    if (fn === "neg") return this.scale(x, this.b.constant(-1));
    if (fn === "select" && x.kind === "free") return this.choose(x.value, y, inputs[2]!);
    if (fn === "add") return this.add(x, y);
    if (fn === "sub") {
      const negated = this.scale(y, this.b.constant(-1));
      return negated.kind === "not affine" ? negated : this.add(x, negated);
    }
    if (fn === "mul" && x.kind === "free") return this.scale(y, x.value);
    if (fn === "mul" && y.kind === "free") return this.scale(x, y.value);
    if (fn === "div" && y.kind === "free") return this.scale(x, this.b.map("reciprocal", y.value));
    if (fn === "mul" || fn === "div") return notAffine("the state is multiplied with itself");
    return notAffine(`\`${fn}\` of the state is not affine in it`);
  }

  /** One of two by a condition that is free of the state: the gate is one of two, all else is kept or left out. */
  private choose(condition: ValueId, x: Affine, y: Affine): Form {
    const { b } = this;
    const is = b.map("ne", condition, b.constant(0));
    const [left, right] = [this.scale(x, is), this.scale(y, b.sub(b.constant(1), is))];
    if (left.kind === "not affine" || right.kind === "not affine") return notAffine("?");
    const either = this.add(left, right);
    if (either.kind !== "state" || x.kind === "read" || y.kind === "read") return either;
    const gateOf = (form: Exclude<Affine, ReadForm>): ValueId =>
      form.kind === "free" ? b.constant(0) : (form.gate ?? b.constant(1));
    return { ...either, gate: b.map("select", condition, gateOf(x), gateOf(y)) };
  }

  /** R(θ) of gate ∘ S + …, for a gate that commutes with R (which is seen to at the end). */
  private rotate(x: Affine, by: Affine, axes: Omit<Turn, "angle">): Form {
    if (by.kind !== "free") return notAffine("the state is an angle by which it rotates something");
    if (x.kind !== "state") return notAffine("what was read from the state is rotated");
    const { b } = this;
    const { over } = axes;
    if (!hasAxis(this.state, over)) return notAffine(`the state has no axis \`${over}\` to rotate`);
    if (x.turn !== null && (x.turn.over !== over || x.turn.pairs !== axes.pairs))
      return notAffine("the state is rotated along two axes");
    const angle = x.turn === null ? by.value : b.add(x.turn.angle, by.value);
    const rotated = (value: ValueId): ValueId =>
      turned(b, covering(b, value, [over], this.state), axes, by.value);
    return {
      ...x,
      turn: { ...axes, angle },
      erases: x.erases.map(({ a, b: key }) => ({ a: rotated(a), b: key })),
      writes: x.writes.map(rotated),
    };
  }

  /** (S + x) mod M: sums may be reduced at every step, products may not. */
  private modulo(x: Affine, by: Affine): Form {
    const modulus = by.kind === "free" ? this.b.constantOf(by.value) : undefined;
    if (x.kind !== "state" || modulus === undefined || !(modulus > 0))
      return notAffine("`mod` of the state is affine for a positive constant only");
    if (x.gate !== null || x.erases.length > 0 || x.modulus !== null)
      return notAffine("`mod` of a state that decays is not affine in it");
    return { ...x, modulus };
  }

  private times(a: ValueId | null, b: ValueId): ValueId {
    if (a === null) return b;
    if (this.b.constantOf(b) === -1) return this.b.neg(a);
    return this.b.constantOf(a) === -1 ? this.b.neg(b) : this.b.mul(a, b);
  }

  private scale(form: Affine, by: ValueId): Form {
    if (form.kind === "free") return { kind: "free", value: this.times(form.value, by) };
    if (form.kind === "state")
      return {
        ...form,
        gate: this.times(form.gate, by),
        erases: form.erases.map(({ a, b }) => ({ a: this.times(a, by), b })),
        writes: form.writes.map((write) => this.times(write, by)),
      };
    const own = axisNames(this.b.type(by));
    const whole = (this.key ?? []).some((name) => own.includes(name));
    if (!whole) {
      const terms = form.terms.map(({ scale, b }) => ({ scale: this.times(scale, by), b }));
      return { ...form, terms, plus: form.plus === null ? null : this.b.mul(form.plus, by) };
    }
    // an outer product with what was read: an erase
    return {
      kind: "state",
      when: form.when,
      modulus: null,
      turn: null,
      gate: this.b.constant(0),
      erases: form.terms.map(({ scale, b }) => ({ a: this.times(scale, by), b })),
      writes: form.plus === null ? [] : [this.b.mul(form.plus, by)],
    };
  }

  private add(x: Affine, y: Affine): Form {
    if (x.kind === "free" && y.kind === "free")
      return { kind: "free", value: this.b.add(x.value, y.value) };
    if (x.kind === "free") return this.add(y, x);
    if (x.kind === "read") {
      if (y.kind === "free")
        return { ...x, plus: x.plus === null ? y.value : this.b.add(x.plus, y.value) };
      if (y.kind === "state" || x.when !== y.when)
        return notAffine("a read of the state is added to the state");
      const plus = x.plus === null ? y.plus : y.plus === null ? x.plus : this.b.add(x.plus, y.plus);
      return { ...x, terms: [...x.terms, ...y.terms], plus };
    }
    if (y.kind === "free") return { ...x, writes: [...x.writes, y.value] };
    if (y.kind === "read" || x.when !== y.when)
      return notAffine("a read of the state is added to the state");
    const isZero = (gate: ValueId | null): boolean =>
      gate !== null && this.b.constantOf(gate) === 0;
    const gate = isZero(x.gate)
      ? y.gate
      : isZero(y.gate)
        ? x.gate
        : this.b.add(x.gate ?? this.b.constant(1), y.gate ?? this.b.constant(1));
    const erases = this.merged([...x.erases, ...y.erases]);
    const turn = isZero(x.gate) ? y.turn : x.turn;
    if (!isZero(x.gate) && !isZero(y.gate) && !sameTurn(x.turn, y.turn))
      return notAffine("the state is added to itself rotated");
    return { ...x, turn, gate, erases, writes: [...x.writes, ...y.writes] };
  }

  private contract(inputs: readonly Affine[], over: readonly string[]): Form {
    const [state, vector] =
      inputs[0]!.kind === "free" ? [inputs[1]!, inputs[0]!] : [inputs[0]!, inputs[1]!];
    if (vector.kind !== "free") return notAffine("the state is multiplied with itself");
    if (state.kind !== "state")
      return notAffine("what was read from the state is contracted again");
    const sorted = [...over].sort();
    if (this.key !== null && this.key.join() !== sorted.join())
      return notAffine(
        `the state is contracted over \`${this.key.join()}\` and over \`${sorted.join()}\``,
      );
    if (!sorted.every((name) => hasAxis(this.state, name)))
      return notAffine("the contraction is not over the state's own axes");
    this.key = sorted;
    const q = vector.value;
    const terms: { scale: ValueId | null; b: ValueId }[] = [];
    const gateIsZero = state.gate !== null && this.b.constantOf(state.gate) === 0;
    const { turn } = state;
    if (turn !== null && !gateIsZero && !sorted.includes(turn.over)) return notAffine(readAcross);
    const back = (x: ValueId): ValueId =>
      turn === null
        ? x
        : turned(
            this.b,
            covering(this.b, x, [turn.over], this.state),
            turn,
            this.b.neg(turn.angle),
          );
    if (!gateIsZero) {
      const onKey =
        state.gate !== null && sorted.some((name) => hasAxis(this.b.type(state.gate!), name));
      terms.push(
        onKey
          ? { scale: null, b: back(this.times(state.gate, q)) }
          : { scale: state.gate, b: back(q) },
      );
    }
    const contracted = (x: ValueId): ValueId =>
      this.b.dot(q, covering(this.b, x, sorted, this.state), sorted);
    for (const { a, b } of state.erases) terms.push({ scale: contracted(a), b });
    const read = state.writes.map(contracted);
    const plus = read.length === 0 ? null : read.reduce(this.b.add);
    return { kind: "read", when: state.when, terms, plus };
  }
}

/** In the turning frame only what contracts the rotated axis sees the state. */
const readAcross = "the state is read along another axis than it is rotated";

const sameTurn = (a: Turn | null, b: Turn | null): boolean =>
  a === null || b === null
    ? a === b
    : a.angle === b.angle && a.over === b.over && a.pairs === b.pairs;

/** An output of the step as a read. */
function readOf(form: Form): Read | NotAffine {
  if (form.kind === "not affine") return form;
  if (form.kind !== "read" || form.terms.length !== 1)
    return notAffine("the state is used without contracting it");
  const { scale, b } = form.terms[0]!;
  return { query: b, scale, plus: form.plus, when: form.when };
}
