/**
 * What a graph was built from: the statements that ran and the layers that were applied, as a tree.
 *
 * A graph is flat, and layers leave nothing behind in it. Pictures and editors want the source's own
 * structure back: which layer lies in which, what a statement was called, and which nodes, parameters and
 * states of the graph it made. Those are given as ranges, because a graph only grows while it is built.
 */

import type { LayerDeclaration, Span, Statement } from "../../grammar/ast.js";
import type { GraphBuilder } from "../ir/builder.js";
import type { ValueId } from "../ir/graph.js";
import type { CompileValue } from "./values.js";

/** Indices from `from` up to, and without, `to`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** What a part added to its graph. */
export interface Extent {
  readonly nodes: Range;
  readonly parameters: Range;
  readonly states: Range;
}

/** One statement that ran, with the layers applied in it and the statements of its `mix` or `if`. */
export interface Step extends Extent {
  readonly kind: "step";
  readonly statement: Statement;
  readonly value: ValueId | null; // null when it is no tensor
  readonly parts: readonly Part[];
}

/** One layer applied to its inputs. */
export interface Application extends Extent {
  readonly kind: "application";
  readonly layer: LayerDeclaration;
  readonly call: Span; // where it is applied
  readonly written: Span; // where it got its arguments
  readonly value: ValueId | null;
  readonly steps: readonly Part[];
}

export type Part = Step | Application;

/** Runs an action and gives what it added to the graph beside its result. */
export function extentOf<T>(
  { nodes, parameters, states }: GraphBuilder,
  action: () => T,
): { readonly result: T; readonly extent: Extent } {
  const [node, parameter, state] = [nodes.length, parameters.length, states.length];
  const result = action();
  const extent = {
    nodes: { from: node, to: nodes.length },
    parameters: { from: parameter, to: parameters.length },
    states: { from: state, to: states.length },
  };
  return { result, extent };
}

/** The tensor that a result is, for a part's `value`. */
export function valueOf(result: CompileValue | undefined): ValueId | null {
  return result?.kind === "tensor" ? result.id : null;
}
