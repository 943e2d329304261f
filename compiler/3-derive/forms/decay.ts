/**
 * Everything the chunk form takes from the gate and from document starts.
 *
 * c_t is the running sum of log Λ inside the chunk, r_t the running count of document starts. Two tokens
 * are of one document when their counts are equal, and the chunk's first state reaches a token whose
 * count is 0. 1/G is never formed: every factor is exp(c_t − c_s) with s ≤ t, so at most 1.
 */

import type { GraphBuilder } from "../../ir/builder.js";
import type { ValueId } from "../../ir/graph.js";
import { hasAxis } from "../../ir/types.js";
import { type Layout, toChunks } from "./layout.js";
import { logarithm } from "./factors.js";

/** A logarithm whose exponential is 0. */
const never = -1e30;

const running = { fn: "sum", axis: "step", reverse: false, exclusive: false } as const;

export class Decay {
  private readonly b: GraphBuilder;
  private readonly size: number;
  /** c_t [.., chunk, step, gate axes]; null without a gate. */
  private readonly c: ValueId | null;
  /** c_{t−1}, 0 at the chunk's first step. */
  private readonly before: ValueId | null;
  private readonly starts: ValueId | null;
  private readonly onKey: boolean;

  constructor(
    layout: Layout,
    gate: ValueId | null,
    resets: ValueId | null,
    private readonly key: readonly string[],
  ) {
    const { builder } = layout;
    this.b = builder;
    this.size = layout.chunk;
    const log = gate === null ? null : toChunks(layout, logarithm(builder, gate));
    this.c = log === null ? null : builder.op("cumulate", running, [log]);
    this.before = log === null ? null : builder.sub(this.c!, log);
    this.starts =
      resets === null ? null : builder.op("cumulate", running, [toChunks(layout, resets)]);
    this.onKey = gate !== null && key.some((name) => hasAxis(builder.type(gate), name));
  }

  /** [.., step, source]: Σ over the key of x_t · y_s · exp(c_t − c_s) where s ≤ t (s < t if strict), else 0. */
  pairs(x: ValueId, y: ValueId, strict: boolean): ValueId {
    const { b } = this;
    const source = b.rename(y, { step: "source" });
    const allowed = this.allowed(strict);
    const c = strict ? this.before : this.c;
    if (c === null) return b.mul(b.dot(x, source, this.key), allowed);
    const factor = this.factor(b.sub(c, b.rename(this.c!, { step: "source" })), allowed);
    if (this.onKey) return b.sum(b.mul(b.mul(x, source), factor), this.key);
    return b.mul(b.dot(x, source, this.key), factor);
  }

  /** x_t · exp(c_t), or c_{t−1} for reads before the step, where the chunk's first state is still seen. */
  fromStart(x: ValueId, strict: boolean): ValueId {
    const { b } = this;
    const c = strict ? this.before : this.c;
    const seen = this.starts === null ? null : b.map("eq", this.starts, b.constant(0));
    return this.decayed(x, c, seen);
  }

  /** x_s · exp(c_C − c_s), where the chunk's end still sees token s. */
  toEnd(x: ValueId): ValueId {
    const { b } = this;
    const seen = this.starts === null ? null : b.map("eq", this.starts, this.last(this.starts));
    return this.decayed(x, this.c === null ? null : b.sub(this.last(this.c), this.c), seen);
  }

  /** Σ_s k_s v_sᵀ, decayed to the chunk's end: the decay goes to the side that has its axes. */
  intoEnd(key: ValueId, value: ValueId): ValueId {
    const gateOnValue =
      this.c !== null &&
      !this.onKey &&
      this.b
        .type(this.c)
        .axes.some(
          ({ name }) => hasAxis(this.b.type(value), name) && !hasAxis(this.b.type(key), name),
        );
    return gateOnValue
      ? this.b.dot(key, this.toEnd(value), ["step"])
      : this.b.dot(this.toEnd(key), value, ["step"]);
  }

  /** What is left of the chunk's first state at its end; null when all of it is. */
  whole(): ValueId | null {
    const { b } = this;
    const c = this.c === null ? null : this.last(this.c);
    const kept = this.starts === null ? null : b.map("eq", this.last(this.starts), b.constant(0));
    if (c === null) return kept;
    return kept === null ? b.exp(c) : this.factor(c, kept);
  }

  /** exp(log) where allowed, else 0: a gate above 1 must not overflow where nothing is seen. */
  private factor(log: ValueId, allowed: ValueId): ValueId {
    return this.b.exp(this.b.map("select", allowed, log, this.b.constant(never)));
  }

  private decayed(x: ValueId, log: ValueId | null, seen: ValueId | null): ValueId {
    const { b } = this;
    if (log === null) return seen === null ? x : b.mul(x, seen);
    return b.mul(x, seen === null ? b.exp(log) : this.factor(log, seen));
  }

  private last(x: ValueId): ValueId {
    return this.b.sum(this.b.slice(x, "step", this.size - 1, 1), ["step"]);
  }

  /** [.., step, source]: 1 where the source is at or before the step (before it, if strict) in its document. */
  private allowed(strict: boolean): ValueId {
    const { b } = this;
    const step = b.iota({ name: "step", size: this.size });
    const source = b.iota({ name: "source", size: this.size });
    const causal = b.map(strict ? "gt" : "ge", step, source);
    if (this.starts === null) return causal;
    return b.mul(causal, b.map("eq", this.starts, b.rename(this.starts, { step: "source" })));
  }
}
