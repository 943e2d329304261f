/** Binds the names in a layer or a model: statements in order, a scope for each pair of braces. */

import type {
  Argument,
  AxesLiteral,
  CallExpression,
  Expression,
  Identifier,
  LayerDeclaration,
  ModelDeclaration,
  Parameter,
  Span,
  Statement,
} from "../../../grammar/ast.js";
import { isInput } from "../../1-check/elaborate/apply.js";
import type { Local, LocalKind, Occurrence, Target } from "./bind.js";

/** Names that mean the same everywhere. */
export const words: Readonly<Record<string, string>> = {
  true: "the truth value",
  false: "the truth value",
  none: "nothing: what an optional parameter can be",
  depth: "the index of this block in its chain, from 0",
  depths: "how many blocks its chain has",
};

export class Binder {
  private readonly found: Occurrence[] = [];
  private readonly scopes: Map<string, Local>[] = [new Map()];
  /** Axes that have a name and no value, by name. */
  private readonly axes = new Map<string, Local>();

  bind({ parameters, body }: LayerDeclaration | ModelDeclaration): Occurrence[] {
    for (const parameter of parameters) this.parameter(parameter);
    this.body(body);
    return this.found;
  }

  private parameter(parameter: Parameter): void {
    const { annotation } = parameter;
    if (annotation !== null && "entries" in annotation)
      for (const { value } of annotation.entries)
        if (value.kind === "name") this.define(value, "size", { parameter });
    if (parameter.default) this.expression(parameter.default);
    this.define(parameter.name, isInput(parameter) ? "input" : "parameter", { parameter });
  }

  private body(statements: readonly Statement[]): void {
    for (const statement of statements) this.statement(statement);
  }

  private inside(statements: readonly Statement[], before?: () => void): void {
    this.scopes.push(new Map());
    before?.();
    this.body(statements);
    this.scopes.pop();
  }

  private statement(statement: Statement): void {
    switch (statement.kind) {
      case "let":
        if (statement.annotation) this.expression(statement.annotation);
        this.expression(statement.value);
        return this.define(statement.name, "value", { recipe: recipeOf(statement.value) });
      case "state":
        this.expression(statement.axes);
        if (statement.initial) this.expression(statement.initial);
        return this.define(statement.name, "state");
      case "write":
        this.expression(statement.value);
        this.name(statement.state.name, statement.state.span);
        statement.at?.arguments.forEach(({ value }) => this.expression(value));
        return;
      case "route":
        this.expression(statement.value);
        return this.define(statement.name, "route");
      case "expression":
        return this.expression(statement.value);
      case "error":
        return;
    }
  }

  private expression(node: Expression): void {
    switch (node.kind) {
      case "name":
        return this.name(node.name, node.span);
      case "unary":
        return this.expression(node.operand);
      case "parenthesized":
        return this.expression(node.expression);
      case "binary":
        return this.binary(node);
      case "call":
        return this.call(node);
      case "member":
        this.expression(node.object);
        return this.add(node.property, { kind: "word", name: node.property.name }, false);
      case "axes":
        return this.bracket(node);
      case "pairs":
        return node.entries.forEach(({ value }) => this.expression(value));
      case "mix":
        this.name(node.route.name, node.route.span);
        return this.inside(node.body, () => this.define(node.binder, "choice"));
      case "if":
        this.expression(node.condition);
        this.inside(node.then);
        return this.inside(node.else);
      case "number":
      case "string":
      case "error":
        return;
    }
  }

  /** Chains lean to the left, and may be long. */
  private binary(node: Expression): void {
    const right: Expression[] = [];
    let left = node;
    for (; left.kind === "binary"; left = left.left) right.push(left.right);
    this.expression(left);
    for (const each of right.reverse()) this.expression(each);
  }

  private call({ callee, arguments: given }: CallExpression): void {
    this.name(callee.name, callee.span);
    const target = this.lookup(callee.name);
    const layer = target ? target.recipe : callee.name;
    for (const argument of given) this.argument(argument, layer);
  }

  private argument({ name, value }: Argument, layer: string | null): void {
    if (name && layer !== null)
      this.add(name, { kind: "argument", callee: layer, name: name.name }, false);
    this.expression(value);
  }

  private bracket({ entries }: AxesLiteral): void {
    for (const { value, size } of entries) {
      if (size) this.expression(size);
      if (value.kind !== "name" || !size) this.expression(value);
      else this.axis(value.name, value.span);
    }
  }

  private name(name: string, span: Span): void {
    const local = this.lookup(name) ?? this.axes.get(name);
    if (local) return this.add({ name, span }, { kind: "local", local }, false);
    const kind = Object.hasOwn(words, name) ? "word" : "global";
    this.add({ name, span }, { kind, name }, false);
  }

  /** `taps` of `[taps: 4]`, which is no value. */
  private axis(name: string, span: Span): void {
    const present = this.lookup(name) ?? this.axes.get(name);
    const local: Local = present ?? { kind: "axis", name, span, parameter: null, recipe: null };
    if (!present) this.axes.set(name, local);
    this.add({ name, span }, { kind: "local", local }, !present);
  }

  private lookup(name: string): Local | undefined {
    return this.scopes.findLast((scope) => scope.has(name))?.get(name);
  }

  private define(
    { name, span }: Identifier,
    kind: LocalKind,
    more: { readonly parameter?: Parameter; readonly recipe?: string | null } = {},
  ): void {
    const scope = this.scopes.at(-1)!;
    const { parameter = null, recipe = null } = more;
    // A name that is given again, `x = norm(x)`, stays the same name.
    const local = scope.get(name) ?? { kind, name, span, parameter, recipe };
    scope.set(name, local);
    this.add({ name, span }, { kind: "local", local }, true);
  }

  private add({ name, span }: Identifier, target: Target, defines: boolean): void {
    this.found.push({ name, span, target, defines });
  }
}

/** The layer of which an expression could be a recipe. */
function recipeOf(value: Expression): string | null {
  if (value.kind === "name") return value.name;
  return value.kind === "call" ? value.callee.name : null;
}
