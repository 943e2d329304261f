/** The binary operators of a list element that stand in none of its brackets: where its lines may break. */

import type { BinaryExpression, Expression, Statement } from "../ast.js";
import type { Element } from "./containers.js";

export function operatorsOf(element: Element): readonly BinaryExpression[] {
  const found: BinaryExpression[] = [];
  const visit = (node: Expression): void => {
    switch (node.kind) {
      case "binary":
        found.push(node);
        visit(node.left);
        return visit(node.right);
      case "unary":
        return visit(node.operand);
      case "member":
        return visit(node.object);
      case "if":
        visit(node.condition);
        return chained(node.else);
      default:
    }
  };
  /** Only the condition of an `else if` is outside brackets; `visit` looks no deeper than that. */
  const chained = ([statement]: readonly Statement[]): void => {
    if (statement?.kind === "expression" && statement.value.kind === "if") visit(statement.value);
  };
  expressionsOf(element).forEach(visit);
  return found;
}

/** The expressions that an element consists of directly. */
function expressionsOf(element: Element): Expression[] {
  if (!("kind" in element)) {
    if ("spread" in element)
      return element.size === null ? [element.value] : [element.value, element.size];
    if ("default" in element) return element.default === null ? [] : [element.default];
    return [element.value];
  }
  switch (element.kind) {
    case "layer":
    case "model":
    case "use":
    case "error":
    case "setting":
      return [];
    case "data":
    case "train":
    case "parallel":
    case "convert":
      return element.on === null || element.on.count === null ? [] : [element.on.count];
    case "state":
      return element.initial === null ? [] : [element.initial];
    case "let":
    case "write":
    case "route":
    case "expression":
      return [element.value];
    default:
      return [element];
  }
}
