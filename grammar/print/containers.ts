/**
 * The lists of a tree by the offset at which their bracket opens: arguments, axes, statements, … . A comment
 * belongs to the innermost bracket around it, so this is how it finds its neighbours. What stands in
 * parentheses counts as a list of one; the file is the list at -1.
 */

import type {
  Argument,
  AxisEntry,
  Expression,
  Item,
  Parameter,
  Setting,
  SourceFile,
  Statement,
} from "../ast.js";
import type { Source } from "./source.js";

export type Element = Item | Statement | Parameter | Setting | Argument | AxisEntry | Expression;

export const fileContainer = -1;

export function findContainers(file: SourceFile, source: Source): Map<number, readonly Element[]> {
  const containers = new Map<number, readonly Element[]>([[fileContainer, file.items]]);
  const list = <T extends Element>(
    open: number,
    elements: readonly T[],
    visit: (element: T) => void,
  ) => {
    containers.set(open, elements);
    elements.forEach(visit);
  };

  const item = (node: Item): void => {
    switch (node.kind) {
      case "layer":
      case "model": {
        const next = source.tokenFrom(node.name.span.end);
        if (next?.image === "(") list(next.startOffset, node.parameters, parameter);
        list(source.openOfLast(node.span), node.body, statement);
        return;
      }
      case "use":
      case "error":
        return;
      default:
        if (node.on !== null && node.on.count !== null) expression(node.on.count);
        list(source.openOfLast(node.span), node.settings, setting);
    }
  };
  const parameter = (node: Parameter): void => {
    if (node.annotation !== null && "kind" in node.annotation) expression(node.annotation);
    if (node.default !== null) expression(node.default);
  };
  const setting = (node: Setting): void => {
    if (node.value !== null) expression(node.value);
    node.modifiers.forEach(({ value }) => expression(value));
  };
  const statement = (node: Statement): void => {
    switch (node.kind) {
      case "error":
        return;
      case "state":
        expression(node.axes);
        if (node.initial !== null) expression(node.initial);
        return;
      case "let":
        if (node.annotation !== null) expression(node.annotation);
        break;
      case "write":
        if (node.at !== null) expression(node.at);
        break;
      case "route":
      case "expression":
    }
    expression(node.value);
  };
  const argument = (node: Argument): void => expression(node.value);
  const entry = (node: AxisEntry): void => {
    expression(node.value);
    if (node.size !== null) expression(node.size);
  };
  const expression = (node: Expression): void => {
    switch (node.kind) {
      case "unary":
        return expression(node.operand);
      case "binary":
        expression(node.left);
        return expression(node.right);
      case "member":
        return expression(node.object);
      case "call":
        return list(source.tokenFrom(node.callee.span.end)!.startOffset, node.arguments, argument);
      case "axes":
        return list(node.span.start, node.entries, entry);
      case "pairs":
        return list(node.span.start, node.entries, argument);
      case "parenthesized":
        return list(node.span.start, [node.expression], expression);
      case "mix":
        return list(source.openOfLast(node.span), node.body, statement);
      case "if": {
        expression(node.condition);
        list(source.openOfThen(node), node.then, statement);
        const next = source.elseOf(node);
        if (next?.image === "{") list(next.startOffset, node.else, statement);
        else node.else.forEach(statement);
        return;
      }
      case "number":
      case "string":
      case "name":
      case "error":
    }
  };

  file.items.forEach(item);
  return containers;
}
