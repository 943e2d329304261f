/** The source's own words: formulas as they are written, the names in them, the layers they pass. */

import type { Expression, Span } from "../../../grammar/ast.js";

/** The files of a program, by path. */
export interface Sources {
  readonly get: (source: string) => string | undefined;
  /** Where a span is now, of a program that was checked as it was typed; else it is where it says. */
  readonly place?: (span: Span) => Span;
}

/** The text of a span on one line. */
export function textOf(sources: Sources, span: Span): string {
  const { source, start, end } = sources.place?.(span) ?? span;
  const text = sources.get(source)?.slice(start, end) ?? "";
  return text
    .replace(/\/\/[^\n]*/g, "")
    .replace(/\s+/g, " ")
    .replace(/\( /g, "(")
    .replace(/,? \)/g, ")")
    .trim();
}

/** Parts of an expression, one level down. */
export function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "number":
    case "string":
    case "name":
    case "error":
    case "axes": // of names of axes, not of values
    case "mix":
    case "if":
      return [];
    case "unary":
      return [expression.operand];
    case "binary":
      return [expression.left, expression.right];
    case "call":
    case "pairs":
      return (expression.kind === "call" ? expression.arguments : expression.entries).map(
        ({ value }) => value,
      );
    case "member":
      return [expression.object];
    case "parenthesized":
      return [expression.expression];
  }
}

/** Every expression in another, itself first. */
export function within(expression: Expression): Expression[] {
  return [expression, ...partsOf(expression).flatMap(within)];
}

/** Names in an expression, in order, each once. */
export function namesIn(expression: Expression): string[] {
  const names = within(expression).flatMap((part) => (part.kind === "name" ? [part.name] : []));
  return [...new Set(names)];
}

/** The functions a value passes, in the order it passes them: `linear · conv · silu`. */
export function passes(expression: Expression): string {
  const inner = (part: Expression): string[] => {
    const below = partsOf(part).flatMap(inner);
    return part.kind === "call" ? [...below, part.callee.name] : below;
  };
  return [...new Set(inner(expression))].join(" · ");
}

export const sameSpan = (a: Span, b: Span): boolean =>
  a.source === b.source && a.start === b.start && a.end === b.end;

export const holds = (outer: Span, inner: Span): boolean =>
  outer.source === inner.source && outer.start <= inner.start && inner.end <= outer.end;
