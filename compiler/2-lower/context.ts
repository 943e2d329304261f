/** What lowering one token graph keeps at hand: the graph being built, and where its tokens lie. */

import type { GraphBuilder } from "../ir/builder.js";
import type { Graph, Node, NodeOf, ValueId } from "../ir/graph.js";
import type { Axis } from "../ir/types.js";

/** The sequence a value runs along: all tokens, or the slots of a route. */
export interface SequenceContext {
  readonly axis: Axis; // time or slots
  readonly positions: ValueId; // float [batch, axis]: position within the document (and expert)
  readonly route: RouteContext | null;
}

/** Tokens of a route sorted by expert: `slots` = time × choices, in order within each expert. */
export interface RouteContext {
  readonly experts: Axis;
  readonly expertOfSlot: ValueId; // int [batch, slots]
  readonly timeOfSlot: ValueId; // int [batch, slots]
  readonly weightOfSlot: ValueId; // [batch, slots]
  readonly time: Axis;
}

export interface Lowering {
  readonly source: Graph; // token level
  readonly builder: GraphBuilder;
  readonly batch: Axis;
  readonly time: Axis;
  readonly callees: ReadonlyMap<string, Graph>; // lowered
  /** Lowered value of a token value, by region of use (-1: none). */
  readonly values: Map<string, ValueId>;
  readonly sequences: Map<number, SequenceContext>;
  readonly producer: ReadonlyMap<ValueId, Node>;
  /** Who reads each value; null stands for the results of the function. */
  readonly consumers: ReadonlyMap<ValueId, readonly (Node | null)[]>;
  readonly mixes: ReadonlyMap<number, NodeOf<"mix">>; // by region
  readonly parameterRegions: ReadonlyMap<ValueId, number>;
}

export const outside = -1;
