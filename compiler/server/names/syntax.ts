/** The syntax tree without its types: whatever has a place, and what lies in it. */

import type { Item, Span } from "../../../grammar/ast.js";

/** Any node of the tree: items, statements, expressions, parameters, arguments, settings, names. */
export interface Syntax {
  readonly kind?: string;
  readonly span: Span;
}

export function childrenOf(node: Syntax): Syntax[] {
  return Object.values(node).flatMap((value: unknown) => {
    if (Array.isArray(value)) return value.filter(isSyntax);
    if (isSyntax(value)) return [value];
    // `on` of a `parallel` block is a pair without a place of its own
    return typeof value === "object" && value !== null && "device" in value
      ? Object.values(value).filter(isSyntax)
      : [];
  });
}

const isSyntax = (value: unknown): value is Syntax =>
  typeof value === "object" && value !== null && "span" in value;

/** All nodes around an offset, innermost first. */
export function nodesAt(item: Item, offset: number): Syntax[] {
  const found: Syntax[] = [];
  let at: Syntax | undefined = item;
  while (at) {
    found.unshift(at);
    at = childrenOf(at).find(({ span }) => span.start <= offset && offset <= span.end);
  }
  return found;
}
