/** Bodies of layers, models, `mix` and `if`: statements in order, the last expression is the result. */

import type {
  IfExpression,
  LetStatement,
  RouteStatement,
  Span,
  StateStatement,
  Statement,
  WriteStatement,
} from "../../../grammar/ast.js";
import { messages } from "../../diagnostics/messages.generated.js";
import { instead, suggest } from "../../diagnostics/suggest.js";
import { hasAxis, showAxes } from "../../ir/types.js";
import { extentOf, valueOf } from "../trace.js";
import { type CompileValue, errorValue, kindNames, noneValue } from "../values.js";
import { evaluateAxes } from "./axes.js";
import { takenBranch } from "./branches.js";
import { type Frame, giveUp, lookup, originLabel, report, visibleNames } from "./frame.js";
import { asNumber, asTensor } from "./kinds.js";
import { collapsePaths, layerPath } from "./paths.js";

/** Runs a body; every statement is checked even when an earlier one failed. */
export function evaluateBody(
  statements: readonly Statement[],
  frame: Frame,
  what: string,
  end: Span,
  wanted = true,
): CompileValue {
  let result: CompileValue | null = null;
  let failed = false;
  for (const [i, statement] of statements.entries()) {
    const inner: Frame = { ...frame, parts: [] };
    const isResult = wanted && i === statements.length - 1;
    const { result: ran, extent } = extentOf(frame.builder, () =>
      runStatement(statement, inner, isResult),
    );
    failed ||= !ran.ok;
    result = ran.result;
    frame.parts.push({
      kind: "step",
      statement,
      value: valueOf(result ?? madeBy(statement, frame)),
      parts: inner.parts,
      ...extent,
    });
  }
  if (failed || result?.kind === "error") return errorValue;
  if (result !== null) return result;
  if (!wanted) return noneValue;
  const last = statements.at(-1);
  return report(frame, messages.noResult({ what }), [
    last
      ? { span: last.span, text: "the last statement is no expression" }
      : { span: end, text: "there is no statement in it" },
  ]);
}

/** Runs one statement; an expression's value is the body's result when nothing follows it. */
function runStatement(
  statement: Statement,
  frame: Frame,
  isResult: boolean,
): { readonly ok: boolean; readonly result: CompileValue | null } {
  switch (statement.kind) {
    case "let":
      return { ok: runLet(statement, frame), result: null };
    case "state":
      return { ok: runState(statement, frame), result: null };
    case "write":
      return { ok: runWrite(statement, frame), result: null };
    case "route":
      return { ok: runRoute(statement, frame), result: null };
    case "expression": {
      const { value } = statement;
      if (value.kind !== "if" || (isResult && value.else.length > 0))
        return { ok: true, result: runExpression(value, frame) };
      return { ok: runIf(value, frame).kind !== "error", result: null };
    }
    case "error":
      return { ok: false, result: null };
  }
}

/** What a statement has left under its name. */
function madeBy(statement: Statement, frame: Frame): CompileValue | undefined {
  return statement.kind === "let" ? frame.names.get(statement.name.name) : undefined;
}

function runExpression(
  value: Parameters<Frame["environment"]["elaborator"]["evaluate"]>[0],
  frame: Frame,
): CompileValue {
  frame.builder.span = value.span;
  return frame.environment.elaborator.evaluate(value, frame);
}

/** An `if` that stands for what happens inside its braces; its branches need no value. */
function runIf(expression: IfExpression, frame: Frame): CompileValue {
  const branch = takenBranch(expression, frame);
  if (branch === null) return errorValue;
  const inner: Frame = { ...frame, names: new Map(), parent: frame };
  return evaluateBody(branch, inner, "this branch", expression.span, false);
}

/** A frame for the right side of `name = …`, whose layers' parameters lie under the name. */
function named(frame: Frame, name: string): Frame {
  const segment = layerPath(frame, { name } as Parameters<typeof layerPath>[1]);
  return { ...frame, path: segment };
}

function runLet(statement: LetStatement, frame: Frame): boolean {
  const { name, annotation, value } = statement;
  const inner = named(frame, name.name);
  const from = frame.builder.parameters.length;
  const made = frame.builder.values.length;
  frame.builder.span = statement.span;
  // A bare `param(…)` is the parameter of this name itself.
  const isParameter = value.kind === "call" && value.callee.name === "param";
  const result = frame.environment.elaborator.evaluate(
    value,
    isParameter ? { ...frame, naming: name.name } : inner,
  );
  collapsePaths(frame, inner.path, from);
  // Whatever layers and files it went through, a value comes from the line that gave it its name.
  if (result.kind === "tensor" && result.id >= made) frame.builder.locate(result.id, value.span);
  const ok = annotation === null || result.kind === "error" || annotated(statement, result, frame);
  frame.names.set(name.name, finished(result, name.name, frame));
  return result.kind !== "error" && ok;
}

/** Values take the name they are given: tensors for diagrams and messages, recipes for functions. */
function finished(value: CompileValue, name: string, frame: Frame): CompileValue {
  if (value.kind === "tensor") frame.builder.label(value.id, name);
  if (value.kind === "recipe" && value.name === null) return { ...value, name };
  // A state's value under another name is the value of now, not of later.
  if (value.kind === "state") return { kind: "tensor", id: frame.stateValues[value.index]! };
  return value;
}

function annotated(statement: LetStatement, value: CompileValue, frame: Frame): boolean {
  const expected = evaluateAxes(statement.annotation!, frame);
  if (expected.kind !== "axes") return false;
  const id = asTensor(value, frame);
  const found = id === null ? kindNames[value.kind] : showAxes(frame.builder.type(id).axes);
  const own = id === null ? [] : frame.builder.type(id).axes;
  const same =
    id !== null &&
    own.length === expected.axes.length &&
    own.every((axis) =>
      expected.axes.some((other) => other.name === axis.name && other.size === axis.size),
    );
  if (same) return true;
  report(
    frame,
    messages.annotationMismatch({
      name: statement.name.name,
      found,
      expected: showAxes(expected.axes),
    }),
    [
      { span: statement.annotation!.span, text: showAxes(expected.axes) },
      { span: statement.value.span, text: found },
    ],
  );
  return false;
}

function runState(statement: StateStatement, frame: Frame): boolean {
  const axes = evaluateAxes(statement.axes, frame);
  const initial = statement.initial
    ? frame.environment.elaborator.evaluate(statement.initial, frame, "number")
    : noneValue;
  const start = initial.kind === "none" ? 0 : asNumber(initial);
  if (start === null && initial.kind !== "error")
    report(
      frame,
      messages.wrongKind({
        what: `the start of \`${statement.name.name}\``,
        expected: "a number",
        found: kindNames[initial.kind],
      }),
      [{ span: statement.initial!.span, text: kindNames[initial.kind] }],
    );
  if (axes.kind !== "axes" || start === null) {
    frame.names.set(statement.name.name, errorValue);
    return false;
  }
  const { builder } = frame;
  const index = builder.states.length;
  const name = [...frame.path, statement.name.name].join(".");
  builder.states.push({
    name,
    axes: axes.axes,
    initial: start,
    region: builder.region,
    span: statement.span,
  });
  builder.span = statement.span;
  const old = builder.node("state", { state: name }, [], [{ dtype: "float", axes: axes.axes }])[0]!;
  builder.label(old, statement.name.name);
  frame.stateValues.push(old);
  frame.names.set(statement.name.name, { kind: "state", index, old });
  return true;
}

function runWrite(statement: WriteStatement, frame: Frame): boolean {
  const { environment, builder, stateValues } = frame;
  const target = lookup(frame, statement.state.name);
  builder.span = statement.span;
  const value = environment.elaborator.evaluate(
    statement.value,
    { ...frame, path: [...frame.path, statement.state.name] },
    "tensor",
  );
  const chunk = chunkSize(statement, frame);
  if (target?.kind === "error" || value.kind === "error") return false;
  if (target?.kind !== "state") {
    const near = suggest(
      statement.state.name,
      visibleNames(frame).filter((name) => lookup(frame, name)?.kind === "state"),
    );
    report(
      frame,
      messages.notAState({ name: statement.state.name }),
      [
        {
          span: statement.state.span,
          text: target ? `this is ${kindNames[target.kind]}` : "unknown",
        },
      ],
      near ? instead(near, statement.state.span) : undefined,
    );
    return false;
  }
  const id = asTensor(value, frame);
  const state = builder.states[target.index]!;
  if (state.region !== builder.region) {
    report(frame, messages.stepInMix({ name: statement.state.name }), [
      { span: statement.span, text: "a step for each choice" },
      ...(state.span ? [{ span: state.span, text: "one state for all" }] : []),
    ]);
    return false;
  }
  const type = id === null ? null : builder.type(id);
  const fitting =
    type !== null &&
    type.axes.every((axis) =>
      state.axes.some((other) => other.name === axis.name && other.size === axis.size),
    );
  if (!fitting) {
    report(
      frame,
      messages.stateShape({
        name: statement.state.name,
        expected: showAxes(state.axes),
        found: type ? showAxes(type.axes) : kindNames[value.kind],
      }),
      [
        { span: statement.value.span, text: type ? showAxes(type.axes) : kindNames[value.kind] },
        ...(state.span ? [{ span: state.span, text: "the state" }] : []),
        ...(id === null
          ? []
          : originLabel(frame, id).filter((l) => l.span.start < statement.span.start)),
      ],
    );
    giveUp(frame, statement.state.name);
    return false;
  }
  // ids are no floats, but a state is
  const float = type.dtype === "int" ? builder.map("stop", id!) : id!;
  const full = state.axes.every((axis) => hasAxis(type, axis.name))
    ? float
    : builder.conform(float, state.axes);
  const written = builder.node(
    "write",
    { state: state.name, chunk },
    [full],
    [builder.type(full)],
  )[0]!;
  stateValues[target.index] = builder.label(written, statement.state.name);
  return true;
}

function chunkSize(statement: WriteStatement, frame: Frame): number | null {
  const at = statement.at;
  if (!at) return null;
  const argument = at.arguments[0];
  const value = argument
    ? frame.environment.elaborator.evaluate(argument.value, frame, "number")
    : noneValue;
  const size = asNumber(value);
  if (at.callee.name === "chunk" && size !== null && Number.isSafeInteger(size) && size >= 1)
    return size;
  if (value.kind !== "error")
    report(
      frame,
      messages.wrongKind({
        what: "what follows `at`",
        expected: "`chunk(n)` with a whole number n",
        found: "something else",
      }),
      [{ span: at.span, text: "not a chunk" }],
    );
  return null;
}

function runRoute(statement: RouteStatement, frame: Frame): boolean {
  frame.builder.span = statement.span;
  const value = frame.environment.elaborator.evaluate(
    statement.value,
    named(frame, statement.name.name),
  );
  if (value.kind !== "route" && value.kind !== "error")
    report(frame, messages.notARoute({ name: statement.name.name }), [
      { span: statement.value.span, text: `this is ${kindNames[value.kind]}` },
    ]);
  frame.names.set(statement.name.name, value.kind === "route" ? value : errorValue);
  return value.kind === "route";
}
