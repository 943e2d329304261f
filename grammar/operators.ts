/**
 * Builds the tree of an operator expression from its flat sequence of operators and operands, by
 * precedence, with two stacks instead of recursion: a chain of any length costs no call depth.
 *
 * From loose to tight: or; and; not; comparisons; + -; * /; unary -; ^ (to the right). A prefix operator
 * may follow any binary one, as in `key^-0.5`.
 */

import { messages } from "../compiler/diagnostics/messages.generated.js";
import type { BinaryExpression, BinaryOperator, Expression, UnaryExpression } from "./ast.js";
import type { Problems } from "./problems.js";

export interface OperatorToken {
  readonly image: string;
  readonly startOffset: number;
  readonly prefix: boolean;
}

const comparison = 4;
const binding: Readonly<Record<BinaryOperator, number>> = {
  or: 1,
  and: 2,
  "<": comparison,
  "<=": comparison,
  ">": comparison,
  ">=": comparison,
  "==": comparison,
  "!=": comparison,
  "+": 5,
  "-": 5,
  "*": 6,
  "/": 6,
  "^": 8,
};
const prefixBinding: Readonly<Record<UnaryExpression["operator"], number>> = { not: 3, "-": 7 };

export const bindingOf = (operator: BinaryOperator): number => binding[operator];

const strength = (operator: OperatorToken) =>
  operator.prefix
    ? prefixBinding[operator.image as UnaryExpression["operator"]]
    : binding[operator.image as BinaryOperator];

/** `parts` alternates as `prefix* operand (binary prefix* operand)*`. */
export function buildOperators(
  parts: readonly (OperatorToken | Expression)[],
  problems: Problems,
): Expression {
  const operators: OperatorToken[] = [];
  const operands: Expression[] = [];
  const reduce = () => operands.push(apply(operators.pop()!, operands, problems));

  for (const part of parts) {
    if (!("prefix" in part)) {
      operands.push(part);
      continue;
    }
    if (!part.prefix) {
      const own = strength(part);
      const rightward = part.image === "^";
      while (operators.length > 0) {
        const top = strength(operators.at(-1)!);
        if (top < own || (top === own && rightward)) break;
        reduce();
      }
    }
    operators.push(part);
  }
  while (operators.length > 0) reduce();
  return operands[0]!;
}

function apply(operator: OperatorToken, operands: Expression[], problems: Problems): Expression {
  const right = operands.pop()!;
  const source = right.span.source;
  if (operator.prefix) {
    const sign = operator.image as UnaryExpression["operator"];
    return {
      kind: "unary",
      operator: sign,
      operand: right,
      span: { source, start: operator.startOffset, end: right.span.end },
    };
  }
  const left = operands.pop()!;
  const start = operator.startOffset;
  const node: BinaryExpression = {
    kind: "binary",
    operator: operator.image as BinaryOperator,
    operatorSpan: { source, start, end: start + operator.image.length },
    left,
    right,
    span: { source, start: left.span.start, end: right.span.end },
  };
  if (isComparison(node) && isComparison(left)) {
    problems.report(messages.chainedComparison(), [
      { span: node.operatorSpan, text: "second comparison" },
      { span: left.operatorSpan, text: "first comparison" },
    ]);
  }
  return node;
}

const isComparison = (node: Expression): node is BinaryExpression =>
  node.kind === "binary" && binding[node.operator] === comparison;
