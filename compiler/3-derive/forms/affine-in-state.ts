/**
 * What a value of a step is in its state, and the operations on such values: affine ones stay affine, others say why
 * they are not. Whatever does not depend on the state is a value of the graph around the scan.
 */

import type { GraphBuilder } from "../../ir/builder.js";
import type { ValueId } from "../../ir/graph.js";
import { type TensorType, axisNames, hasAxis } from "../../ir/types.js";
import { covering } from "./layout.js";
import type { Erase, NotAffine } from "./normal-form.js";
import { type Turn, turned } from "./turn.js";

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

export type Affine = { readonly kind: "free"; readonly value: ValueId } | StateForm | ReadForm;
export type Form = Affine | NotAffine;

export const notAffine = (reason: string): NotAffine => ({
  kind: "not affine",
  reason,
  span: null,
});

/** A state as it stands before anything is done to it. */
export const untouched = {
  kind: "state",
  gate: null,
  modulus: null,
  turn: null,
  erases: [],
  writes: [],
} as const;

/** Of the values of one step, whose reads all contract the same axes. */
export class StateAlgebra {
  /** The axes that reads contract, once there was one. */
  key: readonly string[] | null = null;

  constructor(
    private readonly b: GraphBuilder,
    private readonly state: TensorType,
  ) {}

  /** Erases along one key are one erase. */
  private merged(erases: readonly Erase[]): Erase[] {
    const byKey = new Map<ValueId, ValueId>();
    for (const { a, b } of erases) {
      const known = byKey.get(b);
      byKey.set(b, known === undefined ? a : this.b.add(known, a));
    }
    return [...byKey].map(([b, a]) => ({ a, b }));
  }

  /** One of two by a condition that is free of the state: the gate is one of two, all else is kept or left out. */
  choose(condition: ValueId, x: Affine, y: Affine): Form {
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
  rotate(x: Affine, by: Affine, axes: Omit<Turn, "angle">): Form {
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
  modulo(x: Affine, by: Affine): Form {
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

  scale(form: Affine, by: ValueId): Form {
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

  add(x: Affine, y: Affine): Form {
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

  contract(inputs: readonly Affine[], over: readonly string[]): Form {
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
export const readAcross = "the state is read along another axis than it is rotated";

const sameTurn = (a: Turn | null, b: Turn | null): boolean =>
  a === null || b === null
    ? a === b
    : a.angle === b.angle && a.over === b.over && a.pairs === b.pairs;
