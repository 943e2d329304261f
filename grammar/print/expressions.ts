/** Expressions as prettier documents. */

import type { Doc } from "prettier";
import { builders } from "prettier/doc";
import type {
  Argument,
  AxisEntry,
  BinaryExpression,
  Expression,
  IfExpression,
  Statement,
} from "../ast.js";
import { quote } from "../literals.js";
import { bindingOf } from "../operators.js";
import { behind, commaList, type Context } from "./lists.js";
import { body, bodyMayShareLine } from "./bodies.js";

const { breakParent, group, hardline, indent, line } = builders;

const parentheses = { left: "(", right: ")" };

export function expression(node: Expression, context: Context): Doc {
  const print = (child: Expression) => expression(child, context);
  const args = (child: Argument) => argument(child, context);
  switch (node.kind) {
    case "number":
      return node.text;
    case "string":
      return quote(node.value);
    case "name":
      return node.name;
    case "unary":
      return [node.operator === "not" ? "not " : "-", print(node.operand)];
    case "binary":
      return node.operator === "^" ? power(node, context) : chain(node, context);
    case "call": {
      const open = context.source.tokenFrom(node.callee.span.end)!.startOffset;
      return [node.callee.name, commaList(open, node.arguments, args, parentheses, context)];
    }
    case "member":
      return [print(node.object), ".", node.property.name];
    case "axes":
      return commaList(
        node.span.start,
        node.entries,
        (e) => axisEntry(e, context),
        { left: "[", right: "]" },
        context,
      );
    case "pairs":
      return node.entries[0]?.name === null
        ? commaList(node.span.start, node.entries, args, parentheses, context)
        : commaList(
            node.span.start,
            node.entries,
            args,
            { left: "{", right: "}", blank: true },
            context,
          );
    case "parenthesized":
      return commaList(
        node.span.start,
        [node.expression],
        print,
        { ...parentheses, lastComma: false },
        context,
      );
    case "mix": {
      const open = context.source.openOfLast(node.span);
      const oneLine = bodyMayShareLine(open, node.body, context);
      return group([
        "mix ",
        node.binder.name,
        " in ",
        node.route.name,
        " ",
        body(open, node.body, oneLine, context),
      ]);
    }
    case "if":
      return conditional(node, context);
    case "error":
      return context.source.text.slice(node.span.start, node.span.end);
  }
}

export function argument({ name, value }: Argument, context: Context): Doc {
  return [name === null ? "" : [name.name, ": "], expression(value, context)];
}

function axisEntry({ spread, value, size }: AxisEntry, context: Context): Doc {
  return [
    spread ? ".." : "",
    expression(value, context),
    size === null ? "" : [": ", expression(size, context)],
  ];
}

/** Operators that bind alike break together, one operand a line, each operator at the end of its line. */
function chain(node: BinaryExpression, context: Context): Doc {
  const rest: Doc[] = [];
  let left: Expression = node;
  while (
    left.kind === "binary" &&
    left.operator !== "^" &&
    bindingOf(left.operator) === bindingOf(node.operator)
  ) {
    const comments = behindOperator(left, context);
    const gap = comments === "" && endsInBlock(left.left) ? " " : line;
    rest.push([" ", left.operator, comments, gap, expression(left.right, context)]);
    left = left.left;
  }
  return group([expression(left, context), indent(rest.reverse())]);
}

/** What follows a `}` stays on its line. */
const endsInBlock = (node: Expression) => node.kind === "mix" || node.kind === "if";

/** `key^-0.5` between simple things, `f(x) ^ (1 / 16)` otherwise. */
function power(node: BinaryExpression, context: Context): Doc {
  const comments = behindOperator(node, context);
  const [left, right] = [expression(node.left, context), expression(node.right, context)];
  if (comments !== "") return group([left, indent([" ^", comments, line, right])]);
  return isSimple(node.left) && isSimple(node.right) ? [left, "^", right] : [left, " ^ ", right];
}

const isSimple = (node: Expression): boolean =>
  node.kind === "name" ||
  node.kind === "number" ||
  (node.kind === "unary" && node.operator === "-" && isSimple(node.operand));

function behindOperator(node: BinaryExpression, { comments }: Context): Doc {
  const [first, ...rest] = comments.behindOperator.get(node) ?? [];
  if (first === undefined) return "";
  const ownLine = (text: string): Doc => [hardline, text];
  return [
    first.ownLine ? ownLine(first.text) : behind(first),
    rest.map(({ text }) => ownLine(text)),
    breakParent,
  ];
}

/** `if … { … } else if … { … } else { … }`: all branches on one line, or none. */
function conditional(node: IfExpression, context: Context): Doc {
  const { source } = context;
  const parts: (string | Doc | Branch)[] = [];
  for (let current = node; ;) {
    const then = { open: source.openOfThen(current), statements: current.then };
    parts.push("if ", expression(current.condition, context), " ", then);
    const next = source.elseOf(current);
    if (next === undefined) break;
    parts.push(" else ");
    const [only] = current.else;
    if (next.image === "{" || only?.kind !== "expression" || only.value.kind !== "if") {
      parts.push({ open: next.startOffset, statements: current.else });
      break;
    }
    current = only.value;
  }
  const oneLine = parts.every(
    (part) => !isBranch(part) || bodyMayShareLine(part.open, part.statements, context),
  );
  return group(
    parts.map((part) =>
      isBranch(part) ? body(part.open, part.statements, oneLine, context) : part,
    ),
  );
}

interface Branch {
  readonly open: number;
  readonly statements: readonly Statement[];
}

const isBranch = (part: string | Doc | Branch): part is Branch =>
  typeof part === "object" && "open" in part;
