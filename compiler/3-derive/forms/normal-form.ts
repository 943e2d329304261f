/**
 * The normal form of a recurrence (recurrences.md §1), found symbolically in any step that is affine:
 *
 *     S_t = Λ_t ∘ S_{t-1} + Σ a_t (b_tᵀ S_{t-1}) + Σ k_t v_tᵀ
 *     y_t = c_t ∘ (q_tᵀ S) + u_t,   S the state after (or before) the step
 *
 * The step is run on symbols: what does not depend on the state is computed for all tokens at once, in
 * the graph around the scan; what does is kept as the terms above.
 */

import type { GraphBuilder } from "../../ir/builder.js";
import type { Node, NodeOf, ValueId } from "../../ir/graph.js";
import { type TensorType, axisNames, hasAxis } from "../../ir/types.js";
import { concatWhole, expandWhole } from "../../ir/whole.js";
import { boundsOf } from "./bounds.js";
import { covering } from "./layout.js";

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
  readonly key: readonly string[]; // the axes that reads contract
  readonly gate: ValueId | null; // Λ; null is 1
  readonly erases: readonly Erase[];
  readonly writes: readonly ValueId[]; // each k vᵀ, not yet factored
  readonly reads: readonly Read[]; // one for each output of the scan
}

/** gate ∘ S + Σ a (bᵀ S) + Σ writes, over the state before (`old`) or after (`new`) the step. */
interface StateForm {
  readonly kind: "state";
  readonly when: "old" | "new";
  readonly gate: ValueId | null;
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

type Form = { readonly kind: "free"; readonly value: ValueId } | StateForm | ReadForm;

/** Why a step has no normal form, in words for the user. */
export interface NotAffine {
  readonly reason: string;
}

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
    if (states !== 1) return { reason: "several states step together" };
    if (restart.some((value) => value !== 0)) return { reason: "the state does not start at 0" };
    const first = resets ? 2 : 1;
    const [state] = body.inputs;
    this.forms.set(state!.value, {
      kind: "state",
      when: "old",
      gate: null,
      erases: [],
      writes: [],
    });
    body.inputs
      .slice(1)
      .forEach(({ value }, i) =>
        this.forms.set(value, { kind: "free", value: inputs[first + i]! }),
      );
    const news = body.outputs[0]!.value;
    let step: Form | null = this.forms.get(news) ?? null;
    for (const node of body.nodes) {
      const form = this.apply(node);
      if ("reason" in form) return form;
      this.forms.set(node.outputs[0]!, form);
      if (node.outputs[0] !== news) continue;
      step = form;
      // from here on the new state is a symbol of its own
      this.forms.set(news, { kind: "state", when: "new", gate: null, erases: [], writes: [] });
    }
    if (step?.kind !== "state" || step.when !== "old")
      return { reason: "the step does not read its state" };
    const reads: Read[] = [];
    for (const { value } of body.outputs.slice(1)) {
      const read = this.read(this.forms.get(value)!);
      if (read === null) return { reason: "the state is used without contracting it" };
      reads.push(read);
    }
    const { gate, writes } = step;
    if (gate !== null && !(boundsOf(this.b, gate).low >= 0))
      return { reason: "its gate may be negative" };
    if (step.erases.length > mostErases) return { reason: "it has too many micro-steps" };
    const key = this.key ?? [];
    const erases = step.erases.map(({ a, b }) => ({
      a: covering(this.b, a, key, this.state),
      b,
    }));
    return { key, gate, erases, writes, reads };
  }

  /** An output as a read; a state that is given out whole is a read over no axes. */
  private read(form: Form): Read | null {
    if (form.kind === "state") {
      if (form.gate !== null || form.erases.length > 0 || this.key !== null) return null;
      const plus = form.writes.length === 0 ? null : form.writes.reduce(this.b.add);
      return { query: this.b.constant(1), scale: null, plus, when: form.when };
    }
    if (form.kind !== "read" || form.terms.length !== 1) return null;
    const { scale, b } = form.terms[0]!;
    return { query: b, scale, plus: form.plus, when: form.when };
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

  private apply(node: Node): Form | NotAffine {
    const inputs = node.inputs.map((id) => this.forms.get(id)!);
    if (inputs.every((form) => form.kind === "free")) {
      const values = inputs.map((form) => (form as { value: ValueId }).value);
      return { kind: "free", value: this.recompute(node, values) };
    }
    switch (node.op) {
      case "map":
        return this.map(node, inputs);
      case "dot":
        return this.contract(inputs, node.attributes.over);
      case "reduce":
        return node.attributes.fn === "sum"
          ? this.contract(
              [inputs[0]!, { kind: "free", value: this.b.constant(1) }],
              node.attributes.over,
            )
          : { reason: "a maximum of the state is not affine in it" };
      default:
        return {
          reason: `\`${node.op}\` of the state is not part of the normal form`,
        };
    }
  }

  /** A node without the state, for all tokens at once. */
  private recompute(node: Node, inputs: readonly ValueId[]): ValueId {
    const { b } = this;
    switch (node.op) {
      case "constant":
        return b.constant(node.attributes.value);
      case "map":
        return b.map(node.attributes.fn, ...inputs);
      case "dot":
        return b.dot(inputs[0]!, inputs[1]!, node.attributes.over);
      case "expand":
        return expandWhole(b, node, inputs[0]!);
      case "concat":
        return concatWhole(b, node, inputs);
      default:
        return b.op(node.op, node.attributes as never, inputs);
    }
  }

  private map(node: NodeOf<"map">, inputs: readonly Form[]): Form | NotAffine {
    const { fn } = node.attributes;
    const x = inputs[0]!;
    const y = inputs[1] ?? x;
    if (fn === "neg") return this.scale(x, this.b.constant(-1));
    if (fn === "add") return this.add(x, y);
    if (fn === "sub") {
      const negated = this.scale(y, this.b.constant(-1));
      return "reason" in negated ? negated : this.add(x, negated);
    }
    if (fn === "mul" && x.kind === "free") return this.scale(y, x.value);
    if (fn === "mul" && y.kind === "free") return this.scale(x, y.value);
    if (fn === "div" && y.kind === "free") return this.scale(x, this.b.map("reciprocal", y.value));
    if (fn === "mul" || fn === "div") return { reason: "the state is multiplied with itself" };
    return { reason: `\`${fn}\` of the state is not affine in it` };
  }

  private times(a: ValueId | null, b: ValueId): ValueId {
    if (a === null) return b;
    if (this.b.constantOf(b) === -1) return this.b.neg(a);
    return this.b.constantOf(a) === -1 ? this.b.neg(b) : this.b.mul(a, b);
  }

  private scale(form: Form, by: ValueId): Form | NotAffine {
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
      gate: this.b.constant(0),
      erases: form.terms.map(({ scale, b }) => ({ a: this.times(scale, by), b })),
      writes: form.plus === null ? [] : [this.b.mul(form.plus, by)],
    };
  }

  private add(x: Form, y: Form): Form | NotAffine {
    if (x.kind === "free" && y.kind === "free")
      return { kind: "free", value: this.b.add(x.value, y.value) };
    if (x.kind === "free") return this.add(y, x);
    if (x.kind === "read") {
      if (y.kind === "free")
        return { ...x, plus: x.plus === null ? y.value : this.b.add(x.plus, y.value) };
      if (y.kind === "state" || x.when !== y.when)
        return { reason: "a read of the state is added to the state" };
      const plus = x.plus === null ? y.plus : y.plus === null ? x.plus : this.b.add(x.plus, y.plus);
      return { ...x, terms: [...x.terms, ...y.terms], plus };
    }
    if (y.kind === "free") return { ...x, writes: [...x.writes, y.value] };
    if (y.kind === "read" || x.when !== y.when)
      return { reason: "a read of the state is added to the state" };
    const isZero = (gate: ValueId | null): boolean =>
      gate !== null && this.b.constantOf(gate) === 0;
    const gate = isZero(x.gate)
      ? y.gate
      : isZero(y.gate)
        ? x.gate
        : this.b.add(x.gate ?? this.b.constant(1), y.gate ?? this.b.constant(1));
    const erases = this.merged([...x.erases, ...y.erases]);
    return { ...x, gate, erases, writes: [...x.writes, ...y.writes] };
  }

  private contract(inputs: readonly Form[], over: readonly string[]): Form | NotAffine {
    const [state, vector] =
      inputs[0]!.kind === "free" ? [inputs[1]!, inputs[0]!] : [inputs[0]!, inputs[1]!];
    if (vector.kind !== "free") return { reason: "the state is multiplied with itself" };
    if (state.kind !== "state")
      return { reason: "what was read from the state is contracted again" };
    const sorted = [...over].sort();
    if (this.key !== null && this.key.join() !== sorted.join())
      return {
        reason: `the state is contracted over \`${this.key.join()}\` and over \`${sorted.join()}\``,
      };
    if (!sorted.every((name) => hasAxis(this.state, name)))
      return { reason: "the contraction is not over the state's own axes" };
    this.key = sorted;
    const q = vector.value;
    const terms: { scale: ValueId | null; b: ValueId }[] = [];
    const gateIsZero = state.gate !== null && this.b.constantOf(state.gate) === 0;
    if (!gateIsZero) {
      const onKey =
        state.gate !== null && sorted.some((name) => hasAxis(this.b.type(state.gate!), name));
      terms.push(
        onKey ? { scale: null, b: this.times(state.gate, q) } : { scale: state.gate, b: q },
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
