/**
 * Steps of several states in a row, each fed by those before it, by numbers that no key and no value has:
 *
 *     Sⁱ_t = gⁱ_t Sⁱ_{t−1} + Σ_{j<i} cⁱʲ_t Sʲ + Σ k_t v_tᵀ        Sʲ of t, or of t − 1
 *     y_t  = Σ c_t (q_tᵀ Sⁱ) + u_t
 *
 * Momentum is one: the memory is fed by its velocity. The step is run on symbols, like a single state's.
 */

import type { GraphBuilder } from "../../ir/builder.js";
import type { Node, NodeOf, ValueId } from "../../ir/graph.js";
import { axisNames, hasAxis } from "../../ir/types.js";
import { boundsOf } from "../../ir/bounds.js";
import { type OuterProduct, factorWrite } from "./factors.js";
import { covering } from "./layout.js";
import { liftNode } from "./lift.js";

/** A state before or after the step of the token. */
export interface At {
  readonly state: number;
  readonly when: "old" | "new";
}

/** A state times a number of each token; null is 1. */
export type Fed = At & { readonly by: ValueId | null };

export interface CascadeStep {
  readonly gate: ValueId | null; // g; null is 1
  readonly fed: readonly Fed[];
  readonly writes: readonly OuterProduct[];
}

export interface CascadeRead {
  readonly terms: readonly (Fed & { readonly query: ValueId })[];
  readonly plus: ValueId | null;
}

export interface Cascade {
  readonly key: readonly string[];
  readonly steps: readonly CascadeStep[]; // by state
  readonly reads: readonly CascadeRead[]; // one for each output of the scan
}

type Form =
  | { readonly kind: "free"; readonly value: ValueId }
  | { readonly kind: "states"; readonly terms: readonly Fed[]; readonly writes: readonly ValueId[] }
  | ({ readonly kind: "read" } & CascadeRead)
  | null; // none of these

/** The cascade that a scan is; null when it is none. `inputs` are the scan's. */
export function cascadeOf(
  b: GraphBuilder,
  node: NodeOf<"scan">,
  inputs: readonly ValueId[],
): Cascade | null {
  const { body, states } = node.attributes;
  if (node.attributes.restart.some((value) => value !== 0)) return null;
  const run = new CascadeAnalysis(b, node, inputs);
  const forms = run.forms();
  const { key } = run;
  if (key === null) return null;
  const state = b.type(inputs[0]!);
  const names = axisNames(state).filter((name) => name !== "batch");
  const alike = inputs
    .slice(0, states)
    .every((id) => axisNames(b.type(id)).join() === axisNames(state).join());
  if (!alike) return null;
  const reads: CascadeRead[] = [];
  for (const { value } of body.outputs.slice(states)) {
    const form = forms.get(value) ?? null;
    if (form?.kind === "free") reads.push({ terms: [], plus: form.value });
    else if (form?.kind === "read") reads.push(form);
    else return null;
  }
  const keySide = new Set(key);
  for (const { terms } of reads)
    for (const { query } of terms) axisNames(b.type(query)).forEach((name) => keySide.add(name));
  const value = names.filter((name) => !keySide.has(name));
  const isNumber = (id: ValueId | null): boolean =>
    id === null || ![...key, ...value].some((name) => hasAxis(b.type(id), name));
  const steps: CascadeStep[] = [];
  for (let i = 0; i < states; i += 1) {
    const form = run.steps[i] ?? null;
    if (form?.kind !== "states" || !form.terms.every(({ by }) => isNumber(by))) return null;
    const own = form.terms.find(({ state: at }) => at === i);
    if (own?.when !== "old") return null;
    if (own.by !== null && !(boundsOf(b, own.by).low >= 0)) return null;
    const writes = form.writes.map((write) => factorWrite(b, write, key, value));
    if (!writes.every((write) => write !== null)) return null;
    const covered = writes
      .flat()
      .map((write) => ({ ...write, key: covering(b, write.key, key, state) }));
    steps.push({ gate: own.by, fed: form.terms.filter((term) => term !== own), writes: covered });
  }
  if (
    !reads.every(({ terms }) =>
      terms.every(({ by }) => by === null || !key.some((name) => hasAxis(b.type(by), name))),
    )
  )
    return null;
  return { key, steps, reads };
}

class CascadeAnalysis {
  key: readonly string[] | null = null;
  readonly steps: Form[] = [];
  private readonly known = new Map<ValueId, Form>();

  constructor(
    private readonly b: GraphBuilder,
    private readonly node: NodeOf<"scan">,
    private readonly inputs: readonly ValueId[],
  ) {}

  forms(): ReadonlyMap<ValueId, Form> {
    const { known, node } = this;
    const { body, states, resets } = node.attributes;
    const flags = resets ? 1 : 0;
    body.inputs.forEach(({ value }, i) =>
      known.set(
        value,
        i < states ? whole(i, "old") : { kind: "free", value: this.inputs[i + flags]! },
      ),
    );
    for (const each of body.nodes) {
      const id = each.outputs[0]!;
      known.set(id, this.apply(each));
      body.outputs.slice(0, states).forEach(({ value }, i) => {
        if (value !== id) return;
        this.steps[i] = known.get(id)!;
        known.set(id, whole(i, "new"));
      });
    }
    return known;
  }

  private apply(node: Node): Form {
    const forms = node.inputs.map((id) => this.known.get(id) ?? null);
    if (forms.every((form) => form?.kind === "free"))
      return {
        kind: "free",
        value: liftNode(
          this.b,
          node,
          forms.map(({ value }) => value),
        ),
      };
    const [x, y] = forms;
    if (!x || (forms.length > 1 && !y)) return null;
    if (node.op === "map" && node.attributes.fn === "select")
      return x.kind === "free" && forms[2] ? this.choose(x.value, y!, forms[2]) : null;
    if (node.op === "dot") return this.contract(x, y!, node.attributes.over);
    if (node.op !== "map") return null;
    const { fn } = node.attributes;
    if (fn === "neg") return this.scale(x, this.b.constant(-1));
    if (fn === "add") return this.add(x, y!);
    if (fn === "sub") {
      const minus = this.scale(y!, this.b.constant(-1));
      return minus && this.add(x, minus);
    }
    if (fn === "mul" && x.kind === "free") return this.scale(y!, x.value);
    if (fn === "mul" && y?.kind === "free") return this.scale(x, y.value);
    if (fn === "div" && y?.kind === "free") return this.scale(x, this.b.map("reciprocal", y.value));
    return null;
  }

  private scale(form: NonNullable<Form>, by: ValueId): Form {
    const { b } = this;
    const times = (x: ValueId | null): ValueId => (x === null ? by : b.mul(x, by));
    if (form.kind === "free") return { kind: "free", value: times(form.value) };
    if (form.kind === "states")
      return {
        kind: "states",
        terms: form.terms.map((term) => ({ ...term, by: times(term.by) })),
        writes: form.writes.map(times),
      };
    if ((this.key ?? []).some((name) => hasAxis(b.type(by), name))) return null; // an erase
    return {
      kind: "read",
      terms: form.terms.map((term) => ({ ...term, by: times(term.by) })),
      plus: form.plus === null ? null : times(form.plus),
    };
  }

  /** One of two by a condition that is free of the states. */
  private choose(condition: ValueId, x: NonNullable<Form>, y: NonNullable<Form>): Form {
    const { b } = this;
    if (x.kind === "read" || y.kind === "read") return null;
    const is = b.map("ne", condition, b.constant(0));
    const not = b.sub(b.constant(1), is);
    const [left, right] = [x, y].map((form) => (form.kind === "states" ? form.terms : []));
    const byOf = (terms: readonly Fed[], of: At): ValueId => {
      const term = terms.find(({ state, when }) => state === of.state && when === of.when);
      return term === undefined ? b.constant(0) : (term.by ?? b.constant(1));
    };
    const terms = this.joined([...left!, ...right!]).map(({ state, when }) => {
      const at = { state, when };
      return { ...at, by: b.map("select", is, byOf(left!, at), byOf(right!, at)) };
    });
    const writesOf = (form: typeof x, by: ValueId): ValueId[] =>
      (form.kind === "free" ? [form.value] : form.writes).map((write) => b.mul(write, by));
    return { kind: "states", terms, writes: [...writesOf(x, is), ...writesOf(y, not)] };
  }

  private add(x: NonNullable<Form>, y: NonNullable<Form>): Form {
    const { b } = this;
    if (x.kind === "free")
      return y.kind === "free" ? { kind: "free", value: b.add(x.value, y.value) } : this.add(y, x);
    if (x.kind === "states") {
      if (y.kind === "free") return { ...x, writes: [...x.writes, y.value] };
      if (y.kind === "read") return null;
      return {
        kind: "states",
        terms: this.joined([...x.terms, ...y.terms]),
        writes: [...x.writes, ...y.writes],
      };
    }
    if (y.kind === "free")
      return { ...x, plus: x.plus === null ? y.value : b.add(x.plus, y.value) };
    if (y.kind === "states") return null;
    const plus = x.plus === null ? y.plus : y.plus === null ? x.plus : b.add(x.plus, y.plus);
    return { kind: "read", terms: [...x.terms, ...y.terms], plus };
  }

  /** Terms of one state are one term. */
  private joined(terms: readonly Fed[]): Fed[] {
    const found: Fed[] = [];
    const one = this.b.constant(1);
    for (const term of terms) {
      const at = found.findIndex(({ state, when }) => state === term.state && when === term.when);
      const by = at < 0 ? term.by : this.b.add(found[at]!.by ?? one, term.by ?? one);
      if (at < 0) found.push(term);
      else found[at] = { ...term, by };
    }
    return found;
  }

  private contract(x: NonNullable<Form>, y: NonNullable<Form>, over: readonly string[]): Form {
    const [form, vector] = x.kind === "free" ? [y, x] : [x, y];
    if (form.kind !== "states" || vector.kind !== "free") return null;
    const sorted = [...over].sort();
    if (this.key !== null && this.key.join() !== sorted.join()) return null;
    const state = this.b.type(this.inputs[0]!);
    if (!sorted.every((name) => hasAxis(state, name))) return null;
    this.key = sorted;
    const { value: query } = vector;
    const read = form.writes.map((write) =>
      this.b.dot(query, covering(this.b, write, sorted, state), sorted),
    );
    return {
      kind: "read",
      terms: form.terms.map((term) => ({ ...term, query })),
      plus: read.length === 0 ? null : read.reduce(this.b.add),
    };
  }
}

const whole = (state: number, when: At["when"]): Form => ({
  kind: "states",
  terms: [{ state, when, by: null }],
  writes: [],
});
