/** What is carried from token to token, and how it is read and written for one token. */

import type { GraphBuilder } from "../../ir/builder.js";
import type { NodeOf, ValueId } from "../../ir/graph.js";
import type { Axis } from "../../ir/types.js";

/** A tensor carried from token to token: an input and an output of the same name. */
export interface CarriedState {
  readonly name: string;
  readonly axes: readonly Axis[];
  readonly initial: number;
}

/** Carried state as the token at hand sees it, and where its new value goes. */
export interface Carry {
  readonly value: ValueId; // [batch, (slots,) …]
  store(next: ValueId): void;
}

/**
 * Opens carried states in one function. Along `time` a state is the sequence's own; along `slots` every
 * expert has one, and the token's slots read and write those of their experts.
 */
export class Carries {
  readonly states: CarriedState[] = [];

  constructor(
    private readonly b: GraphBuilder,
    private readonly batch: Axis,
  ) {}

  /** `positions` are those of the tokens or slots the state steps along. */
  open(stem: string, axes: readonly Axis[], initial: number, positions: ValueId): Carry {
    const route = this.routes.get(positions);
    const experts = route ? [route.experts] : [];
    const name = this.unique(stem);
    const whole = [this.batch, ...experts, ...axes];
    this.states.push({ name, axes: whole, initial });
    const input = this.b.input(name, { dtype: "float", axes: whole });
    const { b } = this;
    const output = (value: ValueId): void => {
      b.outputs.push({ name, value: b.conform(value, whole) });
    };
    if (!route) return { value: input, store: output };
    const { experts: axis, ids } = route;
    return {
      value: b.op("take", { axis: axis.name }, [input, ids]),
      // a token's slots are of different experts, so putting is setting
      store: (next) => {
        const slots = b.type(ids).axes.find(({ name: own }) => own === "slots")!;
        const rows = b.conform(next, [this.batch, slots, ...axes]);
        const ones = b.conform(b.constant(1), [this.batch, slots]);
        const put = { axis, over: ["slots"] };
        output(
          b.map("select", b.op("put", put, [ids, ones]), b.op("put", put, [ids, rows]), input),
        );
      },
    };
  }

  /** Positions of a route's slots: how often each slot's expert was picked before in this document. */
  slotPositions(node: NodeOf<"slot_positions">, [ids, , positions]: readonly ValueId[]): ValueId {
    const { b } = this;
    const { name, size } = node.attributes.experts;
    const experts = { name, size };
    const key = this.unique("picks");
    const whole = [this.batch, experts];
    this.states.push({ name: key, axes: whole, initial: 0 });
    const input = b.input(key, { dtype: "float", axes: whole });
    const start = b.map("eq", b.sum(positions!, ["time"]), b.constant(0));
    const counts = b.map("select", start, b.constant(0), input);
    const slots = b.type(ids!).axes.find(({ name: own }) => own === "slots")!;
    const ones = b.conform(b.constant(1), [this.batch, slots]);
    const picked = b.op("put", { axis: experts, over: ["slots"] }, [ids!, ones]);
    b.outputs.push({ name: key, value: b.conform(b.add(counts, picked), whole) });
    const result = b.op("take", { axis: name }, [counts, ids!]);
    this.routes.set(result, { experts, ids: ids! });
    return result;
  }

  /** The positions that a reset flag `positions = 0` was made of. */
  positionsOf(flag: ValueId): ValueId {
    return this.b.producer(flag)!.inputs[0]!;
  }

  private readonly routes = new Map<ValueId, { readonly experts: Axis; readonly ids: ValueId }>();

  private unique(stem: string): string {
    let name = stem;
    for (let count = 2; this.states.some((state) => state.name === name); count += 1)
      name = `${stem}_${count}`;
    return name;
  }
}
