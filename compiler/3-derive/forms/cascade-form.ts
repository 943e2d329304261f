/**
 * One chunk of a cascade by matrix products. What state i holds at t of what was written to state j at s is
 * a number Rⁱʲ[t, s], and of what state j held at the start a number rⁱʲ[t]:
 *
 *     Dⁱ[t, s] = Π_{s<τ≤t} gⁱ_τ   (s ≤ t, else 0)        Rⁱⁱ = Dⁱ         rⁱⁱ[t] = Dⁱ[t, 0] gⁱ_0
 *     Rⁱʲ = Dⁱ Σ_l diag(cⁱˡ) Rˡʲ                          rⁱʲ = Dⁱ Σ_l cⁱˡ rˡʲ
 *     qᵀSⁱ_t = Σ_j rⁱʲ[t] (q_tᵀ Sʲ_0) + Σ_s Rⁱʲ[t, s] (q_t · k_s) v_s
 *
 * where what is of t − 1 is a row further down, and nothing where a document begins. So the states are never there for each token.
 */

import type { GraphBuilder } from "../../ir/builder.js";
import type { NodeOf, ValueId } from "../../ir/graph.js";
import { type Axis, findAxis, hasAxis } from "../../ir/types.js";
import type { Cascade, Fed } from "./cascade.js";
import type { ChunkStep } from "./per-chunk.js";
import { logarithm } from "./factors.js";

/** A logarithm whose exponential is 0. */
const never = -1e30;

/** What a state holds at each step: of each state's start [.., step], and of its writes [.., step, source]. */
interface Response {
  readonly starts: readonly (ValueId | null)[];
  readonly writes: readonly (ValueId | null)[];
}

export function cascadeForm(
  b: GraphBuilder,
  node: NodeOf<"scan">,
  inputs: readonly ValueId[],
  { key, steps, reads }: Cascade,
): ChunkStep {
  const { axis, states, resets } = node.attributes;
  const length = inputs.map((id) => findAxis(b.type(id), axis)).find((found) => found)!;
  const size = length.size;
  const along = (x: ValueId, name: string): ValueId => {
    const own = hasAxis(b.type(x), axis) ? x : b.conform(x, [length, ...b.type(x).axes]);
    return b.rename(own, { [axis]: name });
  };
  const at = (x: ValueId): ValueId => along(x, "step");
  const step: Axis = { name: "step", size };
  const source: Axis = { name: "source", size };
  const flags = resets ? at(inputs[states]!) : null;
  /** How many documents began up to each step: steps see each other where these are equal, the start where they are 0. */
  const documents = flags === null ? null : b.op("cumulate", running, [flags]);
  const before = b.map("le", b.iota(source), b.iota(step));
  const past =
    documents === null
      ? before
      : b.mul(before, b.map("eq", documents, b.rename(documents, { step: "source" })));
  const begun = documents === null ? null : b.map("eq", documents, b.constant(0));
  /** What was before a document's first token is nothing to it. */
  const within = (x: ValueId): ValueId =>
    flags === null ? x : b.mul(x, b.sub(b.constant(1), flags));
  const first = within(b.map("eq", b.iota(step), b.constant(0)));

  const responses: Response[] = [];
  const order = orderOf(steps.map(({ fed }) => fed.map(({ state }) => state)));
  for (const i of order) {
    const { gate, fed } = steps[i]!;
    const c = gate === null ? null : b.op("cumulate", running, [at(logarithm(b, gate))]);
    const since = c === null ? null : b.sub(c, b.rename(c, { step: "source" }));
    const D = since === null ? past : b.exp(b.map("select", past, since, b.constant(never)));
    const carried = (x: ValueId): ValueId =>
      b.dot(b.rename(D, { source: "position" }), b.rename(x, { step: "position" }), ["position"]);
    const join = (part: keyof Response, j: number): ValueId | null => {
      const terms = fed.flatMap((term) => {
        const x = seen(responses[term.state]!, term, part, j);
        if (x === null) return [];
        return [term.by === null ? x : b.mul(x, at(term.by))];
      });
      return terms.length === 0 ? null : carried(terms.reduce(b.add));
    };
    const all = Array.from({ length: states }, (_, j) => j);
    responses[i] = {
      starts: all.map((j) => (j === i ? ownStart(c) : join("starts", j))),
      writes: all.map((j) => (j === i ? D : join("writes", j))),
    };
  }

  /** What is left of a state's own start. */
  function ownStart(c: ValueId | null): ValueId {
    if (c === null) return begun ?? b.conform(b.constant(1), [step]);
    return b.exp(begun === null ? c : b.map("select", begun, c, b.constant(never)));
  }

  /** What a term sees of a state: as it is, or a row further down, with the start itself in the first row. */
  function seen(
    response: Response,
    { state, when }: Pick<Fed, "state" | "when">,
    part: keyof Response,
    j: number,
  ): ValueId | null {
    const now = response[part][j]!;
    if (when === "new") return now;
    const old = now === null ? null : within(b.op("shift", { axis: "step", by: 1 }, [now]));
    if (part === "writes" || j !== state) return old;
    return old === null ? first : b.add(old, first);
  }

  const outputs = reads.map(({ terms, plus }) => {
    const found = terms.map(({ query, by, ...from }) => {
      const q = at(query);
      const parts: ValueId[] = [];
      steps.forEach(({ writes }, j) => {
        const start = seen(responses[from.state]!, from, "starts", j);
        if (start !== null) parts.push(b.mul(start, b.dot(q, inputs[j]!, key)));
        const held = seen(responses[from.state]!, from, "writes", j);
        if (held === null) return;
        for (const { key: k, value: v } of writes) {
          const scores = b.mul(held, b.dot(q, along(k, "source"), key));
          parts.push(b.dot(scores, along(v, "source"), ["source"]));
        }
      });
      const y = parts.reduce(b.add);
      return b.rename(by === null ? y : b.mul(y, at(by)), { step: axis });
    });
    return [...found, ...(plus === null ? [] : [plus])].reduce(b.add);
  });

  const last = (x: ValueId): ValueId => b.sum(b.slice(x, "step", size - 1, 1), ["step"]);
  const finals = steps.map((_, i) => {
    const parts: ValueId[] = [];
    steps.forEach(({ writes }, j) => {
      const { starts, writes: held } = responses[i]!;
      if (starts[j] !== null) parts.push(b.mul(last(starts[j]!), inputs[j]!));
      if (held[j] === null) return;
      const row = last(held[j]!);
      for (const { key: k, value: v } of writes)
        parts.push(b.dot(b.mul(row, along(k, "source")), along(v, "source"), ["source"]));
    });
    return parts.reduce(b.add);
  });
  return { outputs, finals };
}

const running = { fn: "sum", axis: "step", reverse: false, exclusive: false } as const;

/** The states, each behind those that feed it. */
function orderOf(fed: readonly (readonly number[])[]): number[] {
  const order: number[] = [];
  while (order.length < fed.length)
    order.push(
      fed.findIndex((own, i) => !order.includes(i) && own.every((state) => order.includes(state))),
    );
  return order;
}
