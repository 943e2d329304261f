/**
 * The graph: a function as a list of ops in order, single assignment. Plain readonly data.
 *
 * The same structure serves token graphs (one token's values; batch and time implicit) and lowered
 * graphs (batch and time are axes like any other). A `Module` is the functions of one model.
 */

import type { Span } from "../../grammar/ast.js";
import type { OpAttributes, OpName } from "./ops.js";
import type { Axis, TensorType } from "./types.js";
import type { Initializer } from "./initializer.js";

export type ValueId = number;

export interface Value {
  readonly type: TensorType;
  readonly name: string | null; // the user's name for it, when there is one
  readonly span: Span | null;
  /** Lowered graphs: the value of the token graph that it was made for. */
  readonly origin: ValueId | null;
}

export type Node = {
  [Op in OpName]: {
    readonly op: Op;
    readonly attributes: OpAttributes[Op];
    readonly inputs: readonly ValueId[];
    readonly outputs: readonly ValueId[];
    /** The `mix` region the node belongs to; token level only. */
    readonly region: number | null;
  };
}[OpName];

export type NodeOf<Op extends OpName> = Extract<Node, { readonly op: Op }>;

export interface Port {
  readonly name: string;
  readonly value: ValueId;
}

/** A parameter, by its path within this function (`mixer.q.weight`). */
export interface ParameterPort {
  readonly path: string;
  readonly value: ValueId;
  readonly initializer: Initializer;
  readonly trainable: boolean; // a buffer that the step updates itself otherwise
  readonly decay: boolean; // whether weight decay applies
  readonly region: number | null; // token level: the `mix` whose every expert has its own
}

export interface Update {
  readonly path: string;
  readonly value: ValueId;
}

export interface StateInfo {
  readonly name: string;
  readonly axes: readonly Axis[];
  readonly initial: number;
  readonly region: number | null;
  readonly span: Span | null;
}

export interface Graph {
  readonly name: string;
  readonly values: readonly Value[];
  readonly inputs: readonly Port[];
  readonly parameters: readonly ParameterPort[];
  readonly nodes: readonly Node[];
  readonly outputs: readonly Port[];
  /** Scalars added to the loss (router losses). */
  readonly penalties: readonly Port[];
  /** New values of untrained buffers. */
  readonly updates: readonly Update[];
  /** Measurements of a step that nothing is trained by, such as the loads of a route; no gradient comes to them. */
  readonly metrics: readonly Port[];
  /** Token level only. */
  readonly states: readonly StateInfo[];
}

/** All that a graph or a scheduled function gives, in the order of a call's results. */
export function allResults<P, U>(from: {
  readonly outputs: readonly P[];
  readonly penalties: readonly P[];
  readonly updates: readonly U[];
  readonly metrics: readonly P[];
}): readonly (P | U)[] {
  return [...from.outputs, ...from.penalties, ...from.updates, ...from.metrics];
}

/** All functions of one model by name; `main` calls the others. */
export interface Module {
  readonly main: string;
  readonly functions: ReadonlyMap<string, Graph>;
}
