/**
 * Where an expression is being evaluated: its names, the graph under construction, the path of its
 * parameters, and the calls that led here.
 */

import type {
  Expression,
  LayerDeclaration,
  ModelDeclaration,
  Span,
  Statement,
} from "../../../grammar/ast.js";
import type { Advice, Label, Message } from "../../diagnostics/diagnostic.js";
import type { Reporter } from "../../diagnostics/report.js";
import type { GraphBuilder } from "../../ir/builder.js";
import type { Graph, ValueId } from "../../ir/graph.js";
import { type Axis, type TensorType, showAxes } from "../../ir/types.js";
import type { Declarations } from "../declarations.js";
import type { Part } from "../trace.js";
import type { CompileValue, RecipeValue, SharedParameters } from "../values.js";
import type { Watch } from "../watch.js";
import type { Budget } from "./budget.js";
import type { Expected } from "./kinds.js";

/** What all frames of one elaboration share. */
export interface Environment {
  readonly declarations: Declarations;
  readonly reporter: Reporter;
  readonly elaborator: Elaborator;
  /** Blocks made so far, by name, and by structure so that equal blocks are one function. */
  readonly functions: Map<string, Graph>;
  readonly functionByText: Map<string, string>;
  /** What each of these functions was built from. */
  readonly parts: Map<string, readonly Part[]>;
  /** What elaborating a recipe as a block gave, where `depth` made no difference: stacks repeat their blocks. */
  readonly blocksByRecipe: Map<RecipeValue, Map<string, BlockFunction>>;
  /** The model being built; null while a layer is checked on its own. */
  readonly model: ModelDeclaration | null;
  /** What is left of the work that a check may take. */
  readonly budget: Budget;
  /** Size of the token ids, once the model has said it. */
  vocabulary: number | null;
  /** The series that the model reads, once it has said so. */
  window: WindowDraft | null;
  /** What values of the window were standardised by, latest last: a forecast is brought back by it. */
  readonly scales: { readonly centre: ValueId; readonly deviation: ValueId }[];
  /** A layer is checked on its own, with unknown sizes: divisions may have remainders. */
  readonly generic: boolean;
  /** Whether a mistake was met, though what it is in may be used by nothing. */
  failed: boolean;
  /** Who looks on; null for nobody. */
  readonly watch: Watch | null;
}

/** A window as far as the model has said what it is; its parts come from different calls. */
export interface WindowDraft {
  readonly span: Span; // of the call of `series`
  readonly lookback: number;
  /** The channels' axis; null where each channel is a series of its own. */
  readonly channels: Axis | null;
  horizon: Drafted | null;
  tokens: Drafted | null; // that it is cut into
}

export interface Drafted {
  readonly size: number;
  readonly span: Span;
}

/** A block's function, by its name, and what it gives. */
export interface BlockFunction {
  readonly name: string;
  readonly type: TensorType;
}

/** Where a block stands in its chain. */
export interface BlockPlace {
  readonly depth: number;
  readonly depths: number;
  asked: boolean; // somebody looked at `depth` or `depths`, so the block may differ from its neighbours
}

/** The mutually recursive parts of the elaborator, tied together in elaborator.ts. */
export interface Elaborator {
  evaluate(expression: Expression, frame: Frame, expected?: Expected): CompileValue;
  body(statements: readonly Statement[], frame: Frame, what: string, end: Span): CompileValue;
  apply(
    recipe: RecipeValue,
    inputs: readonly CompileValue[],
    frame: Frame,
    span: Span,
  ): CompileValue;
}

export interface Frame {
  readonly environment: Environment;
  readonly builder: GraphBuilder;
  readonly names: Map<string, CompileValue>;
  readonly parent: Frame | null; // lexically enclosing names (a `mix` or `if` body), not the caller
  readonly path: readonly string[];
  readonly root: readonly string[]; // the path of the layer being applied, without its statement's
  /** The name a bare `param(…)` takes: that of its statement. */
  readonly naming?: string | null;
  readonly stateValues: ValueId[]; // current value of each of the builder's states
  readonly stack: readonly Use[];
  /** What is being built here, as far as it has come. */
  readonly parts: Part[];
  readonly shared: { readonly bank: SharedParameters; readonly depth: number } | null;
  readonly block: BlockPlace | null;
}

/** A layer being applied: where that happens, and where it was written with its arguments. */
export interface Use {
  readonly layer: LayerDeclaration;
  readonly call: Span;
  readonly written: Span;
}

export function lookup(frame: Frame, name: string): CompileValue | undefined {
  if (frame.block && (name === "depth" || name === "depths")) frame.block.asked = true;
  for (let at: Frame | null = frame; at; at = at.parent) {
    const value = at.names.get(name);
    if (value) return value;
  }
  return undefined;
}

/** What went wrong with a name has been said: whatever else it is used for goes without a message. */
export function giveUp(frame: Frame, name: string): void {
  for (let at: Frame | null = frame; at; at = at.parent)
    if (at.names.has(name)) at.names.set(name, { kind: "error" });
}

export function visibleNames(frame: Frame): string[] {
  const names: string[] = [];
  for (let at: Frame | null = frame; at; at = at.parent) names.push(...at.names.keys());
  return names;
}

/** What may follow from a statement that could not be read, and is then not worth a message. */
const consequences: ReadonlySet<string> = new Set([
  "unknown-name",
  "unknown-layer",
  "unknown-axis",
  "not-a-state",
  "not-a-route",
  "no-result",
  "missing-argument",
  "missing-input",
  "too-many-arguments",
]);

/** Reports a mistake; inside applied layers the innermost use that the user has written is labelled too. */
export function report(
  frame: Frame,
  message: Message,
  labels: readonly Label[],
  help?: string | Advice | null,
): CompileValue {
  const { declarations, reporter, model } = frame.environment;
  const within = frame.stack.at(-1)?.layer ?? model;
  if (message.severity === "error") frame.environment.failed = true;
  if (within && declarations.damaged.has(within) && consequences.has(message.code))
    return { kind: "error" };
  const use = frame.stack.findLast(
    ({ layer, written }) =>
      written !== layer.name.span && // a layer that is checked on its own
      !declarations.library.has(written.source) &&
      !labels.some(({ span }) => span.start === written.start && span.source === written.source),
  );
  const trail = use ? [{ span: use.written, text: `in this use of ${use.layer.name.name}` }] : [];
  // What went wrong inside the library is a mistake of whoever uses it.
  const inside = labels[0] !== undefined && declarations.library.has(labels[0].span.source);
  reporter.report(message, inside ? [...trail, ...labels] : [...labels, ...trail], help);
  return { kind: "error" };
}

/** A label that shows a value's axes at the place it was made, when the user has written that. */
export function originLabel(frame: Frame, id: ValueId): Label[] {
  const { span, type } = frame.builder.values[id]!;
  const written = span !== null && !frame.environment.declarations.library.has(span.source);
  return written ? [{ span, text: showAxes(type.axes) }] : [];
}
