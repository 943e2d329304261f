/** What an expression can stand for while a model is being built. */

import type { LayerDeclaration, Span } from "../../grammar/ast.js";
import type { GraphBuilder } from "../ir/builder.js";
import type { ValueId } from "../ir/graph.js";
import type { Initializer } from "../ir/initializer.js";
import type { Axis } from "../ir/types.js";

/** A number known when the model is built. `label` is its text while it depends on an unknown size. */
export interface NumberValue {
  readonly kind: "number";
  readonly value: number;
  readonly label?: string;
}

/** A layer with some of its arguments; applying it makes fresh parameters unless it is `shared`. */
export interface RecipeValue {
  readonly kind: "recipe";
  readonly layer: LayerDeclaration | null; // null: an unknown layer while a layer is checked on its own
  readonly bound: ReadonlyMap<string, BoundArgument>;
  readonly name: string | null; // the name it was given by `L = …`
  readonly span: Span;
  readonly shared: SharedParameters | null;
}

/** The parameters that all applications of one `shared(recipe)` have in common. */
export interface SharedParameters {
  readonly home: GraphBuilder; // the function whose parameters they are
  prefix: string | null; // of the function's parameters when it is a block of a chain
  readonly parameters: Map<string, ValueId>;
}

export interface BoundArgument {
  readonly value: CompileValue;
  readonly span: Span;
}

export interface RouteValue {
  readonly kind: "route";
  readonly weights: ValueId; // [choice]
  readonly choices: ValueId; // int [choice]
  readonly experts: Axis;
}

export type CompileValue =
  | NumberValue
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "none" }
  | { readonly kind: "text"; readonly value: string }
  | { readonly kind: "tensor"; readonly id: ValueId }
  | { readonly kind: "state"; readonly index: number; readonly old: ValueId }
  | { readonly kind: "initializer"; readonly initializer: Initializer }
  | { readonly kind: "axis"; readonly name: string; readonly size: number | null }
  | { readonly kind: "axes"; readonly axes: readonly Axis[] }
  | { readonly kind: "list"; readonly items: readonly CompileValue[] }
  | RecipeValue
  | RouteValue
  | { readonly kind: "error" }; // a mistake that has been reported

export type CompileKind = CompileValue["kind"];

export const errorValue: CompileValue = { kind: "error" };
export const noneValue: CompileValue = { kind: "none" };
export const numberValue = (value: number): NumberValue => ({ kind: "number", value });
export const tensorValue = (id: ValueId): CompileValue => ({ kind: "tensor", id });

/** How each kind reads in a message. */
export const kindNames: Readonly<Record<CompileKind, string>> = {
  number: "a number",
  boolean: "true or false",
  none: "none",
  text: "a text",
  tensor: "a tensor",
  state: "a state",
  initializer: "an initialiser",
  axis: "an axis",
  axes: "axes",
  list: "a list",
  recipe: "a layer",
  route: "a route",
  error: "a mistake",
};
