/** Expressions of every kind except calls, which calls.ts takes. */

import type {
  BinaryExpression,
  Expression,
  IfExpression,
  MemberExpression,
  MixExpression,
  NameExpression,
} from "../../../grammar/ast.js";
import { messages } from "../../diagnostics/messages.generated.js";
import { instead, suggest } from "../../diagnostics/suggest.js";
import {
  type CompileValue,
  errorValue,
  kindNames,
  noneValue,
  numberValue,
  tensorValue,
} from "../values.js";
import { applyBinary, applyScalar } from "./arithmetic.js";
import { evaluateAxes, namedAxis } from "./axes.js";
import { takenBranch } from "./branches.js";
import { evaluateCall } from "./calls.js";
import { type Frame, lookup, report, visibleNames } from "./frame.js";
import { type Expected, asTensor, wantsAxes } from "./kinds.js";

export function evaluate(expression: Expression, frame: Frame, expected?: Expected): CompileValue {
  const { elaborator } = frame.environment;
  switch (expression.kind) {
    case "number":
      return numberValue(expression.value);
    case "string":
      return { kind: "text", value: expression.value };
    case "name":
      return evaluateName(expression, frame, expected);
    case "parenthesized":
      return elaborator.evaluate(expression.expression, frame, expected);
    case "unary": {
      const value = elaborator.evaluate(expression.operand, frame);
      if (expression.operator === "-")
        return applyScalar(
          "neg",
          [{ value, span: expression.operand.span }],
          "`-`",
          expression.span,
          frame,
        );
      if (value.kind === "boolean") return { kind: "boolean", value: !value.value };
      return value.kind === "error"
        ? value
        : wrong("the operand of `not`", "true or false", value, expression.operand, frame);
    }
    case "binary":
      return evaluateBinary(expression, frame, expected);
    case "call":
      return evaluateCall(expression, frame);
    case "member":
      return evaluateMember(expression, frame);
    case "axes":
      if (
        expected !== "layers" &&
        (wantsAxes(expected) || expression.entries.some((e) => e.spread || e.size))
      )
        return evaluateAxes(expression, frame);
      return evaluateList(
        expression.entries.map(({ value }) => value),
        frame,
        expected,
      );
    case "pairs":
      return evaluateList(
        expression.entries.map(({ value }) => value),
        frame,
        expected,
      );
    case "mix":
      return evaluateMix(expression, frame);
    case "if":
      return evaluateIf(expression, frame);
    case "error":
      return errorValue;
  }
}

function wrong(
  what: string,
  expected: string,
  value: CompileValue,
  at: Expression,
  frame: Frame,
): CompileValue {
  const found = kindNames[value.kind];
  return report(frame, messages.wrongKind({ what, expected, found }), [
    { span: at.span, text: `this is ${found}` },
  ]);
}

function evaluateName(expression: NameExpression, frame: Frame, expected?: Expected): CompileValue {
  const { name, span } = expression;
  if (name === "true" || name === "false") return { kind: "boolean", value: name === "true" };
  if (name === "none") return noneValue;
  if (wantsAxes(expected)) return namedAxis(name, span, frame);
  const value = lookup(frame, name);
  if (value) return value;
  const { declarations } = frame.environment;
  const layer = declarations.layers.get(name);
  if (layer) return { kind: "recipe", layer, bound: new Map(), name: null, span, shared: null };
  const near = suggest(name, [...visibleNames(frame), ...declarations.layers.keys()]);
  return report(
    frame,
    messages.unknownName({ name }),
    [{ span, text: "not defined here" }],
    near ? instead(near, span) : undefined,
  );
}

/** Long chains `a + b + …` lean to the left; their left spine is walked, not recursed into. */
function evaluateBinary(
  expression: BinaryExpression,
  frame: Frame,
  expected?: Expected,
): CompileValue {
  const spine: BinaryExpression[] = [];
  let leftmost: Expression = expression;
  while (leftmost.kind === "binary") {
    spine.push(leftmost);
    leftmost = leftmost.left;
  }
  const inner = expected === "layers" || wantsAxes(expected) ? expected : undefined;
  const { elaborator } = frame.environment;
  let value = elaborator.evaluate(leftmost, frame, inner);
  for (const node of spine.reverse()) {
    const right = elaborator.evaluate(node.right, frame, node.operator === "*" ? undefined : inner);
    frame.builder.span = node.span;
    value = applyBinary(
      node.operator,
      { value, span: node.left.span },
      { value: right, span: node.right.span },
      node.span,
      frame,
    );
  }
  return value;
}

function evaluateList(
  items: readonly Expression[],
  frame: Frame,
  expected?: Expected,
): CompileValue {
  const each = expected === "layers" ? "layer" : undefined;
  const values = items.map((item) => frame.environment.elaborator.evaluate(item, frame, each));
  return values.some((value) => value.kind === "error")
    ? errorValue
    : { kind: "list", items: values };
}

function evaluateMember(expression: MemberExpression, frame: Frame): CompileValue {
  const value = frame.environment.elaborator.evaluate(expression.object, frame);
  if (value.kind === "error") return value;
  const { name, span } = expression.property;
  if (name === "prev" && value.kind === "state") return tensorValue(value.old);
  if (name !== "prev")
    return report(frame, messages.unknownName({ name }), [
      { span, text: "states have `.prev` only" },
    ]);
  const object = expression.object.kind === "name" ? expression.object.name : "this";
  return report(
    frame,
    messages.notAState({ name: object }),
    [{ span: expression.object.span, text: `this is ${kindNames[value.kind]}` }],
    `\`prev(${object})\` is the last token's value of any name`,
  );
}

function evaluateMix(expression: MixExpression, frame: Frame): CompileValue {
  const { builder } = frame;
  const route = lookup(frame, expression.route.name);
  if (route?.kind === "error") return errorValue;
  if (route?.kind !== "route")
    return report(frame, messages.notARoute({ name: expression.route.name }), [
      { span: expression.route.span, text: route ? `this is ${kindNames[route.kind]}` : "unknown" },
    ]);
  if (builder.region !== null)
    return report(frame, messages.nestedMix(), [
      { span: expression.span, text: "inside another one" },
    ]);
  const region = builder.openRegion();
  const inner: Frame = { ...frame, names: new Map(), parent: frame };
  const body = evaluateBodyIn(inner, expression);
  builder.region = null;
  if (body.kind === "error") return body;
  const id = asTensor(body, inner);
  if (id === null) return wrong("the result of `mix`", "a tensor", body, expression, frame);
  builder.span = expression.span;
  return tensorValue(
    builder.op("mix", { region, experts: route.experts }, [id, route.weights, route.choices]),
  );
}

function evaluateBodyIn(frame: Frame, expression: MixExpression): CompileValue {
  return frame.environment.elaborator.body(expression.body, frame, "this `mix`", expression.span);
}

function evaluateIf(expression: IfExpression, frame: Frame): CompileValue {
  const branch = takenBranch(expression, frame);
  if (branch === null) return errorValue;
  const inner: Frame = { ...frame, names: new Map(), parent: frame };
  return frame.environment.elaborator.body(branch, inner, "this branch", expression.span);
}
