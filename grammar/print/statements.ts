/** Statements as prettier documents. */

import type { Doc } from "prettier";
import type { Expression, Statement } from "../ast.js";
import { expression } from "./expressions.js";
import type { Context } from "./lists.js";

export function statement(node: Statement, context: Context): Doc {
  const print = (child: Expression) => expression(child, context);
  switch (node.kind) {
    case "let": {
      const annotation = node.annotation === null ? "" : [": ", print(node.annotation)];
      return [node.name.name, annotation, " = ", print(node.value)];
    }
    case "state":
      return [
        "state ",
        node.name.name,
        ": ",
        print(node.axes),
        node.initial === null ? "" : [" = ", print(node.initial)],
      ];
    case "write":
      return [
        node.state.name,
        " <- ",
        print(node.value),
        node.at === null ? "" : [" at ", print(node.at)],
      ];
    case "route":
      return ["route ", node.name.name, " = ", print(node.value)];
    case "expression":
      return print(node.value);
    case "error":
      return context.source.text.slice(node.span.start, node.span.end);
  }
}
