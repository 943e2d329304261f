/** Elementwise arithmetic over everything it is defined for: numbers, tensors, initialisers, lists, axes. */

import type { Span } from "../../../grammar/ast.js";
import { messages } from "../../diagnostics/messages.generated.js";
import type { ValueId } from "../../ir/graph.js";
import type { Initializer } from "../../ir/initializer.js";
import { type ScalarFunction, scalarFunctions } from "../../ir/scalar-functions.js";
import { elementCount, findAxis, showAxes, unionAxes } from "../../ir/types.js";
import {
  type CompileValue,
  type NumberValue,
  errorValue,
  kindNames,
  tensorValue,
} from "../values.js";
import { type Frame, originLabel, report } from "./frame.js";
import { asTensor } from "./kinds.js";

/** The largest tensor a model may hold per token or parameter: sizes beyond are slips. */
const mostElements = 2 ** 53;

export interface OperandPlace {
  readonly value: CompileValue;
  readonly span: Span;
}

/** Applies an elementwise function to operands of any kinds that allow it. */
export function applyScalar(
  fn: ScalarFunction,
  operands: readonly OperandPlace[],
  what: string,
  span: Span,
  frame: Frame,
): CompileValue {
  const values = operands.map(({ value }) => value);
  if (values.some((value) => value.kind === "error")) return errorValue;
  if (values.every((value) => value.kind === "number")) return numbers(fn, values);
  if (values.some((value) => value.kind === "initializer"))
    return initializers(fn, operands, what, frame);
  const wrong = operands.find(({ value }) => asTensor(value, frame) === null);
  if (wrong) {
    const found = kindNames[wrong.value.kind];
    return report(
      frame,
      messages.wrongKind({
        what: `an operand of ${what}`,
        expected: "a tensor or a number",
        found,
      }),
      [{ span: wrong.span, text: `this is ${found}` }],
    );
  }
  const ids = values.map((value) => asTensor(value, frame)!);
  return alignable(ids, operands, span, frame)
    ? tensorValue(frame.builder.map(fn, ...ids))
    : errorValue;
}

function numbers(fn: ScalarFunction, values: readonly NumberValue[]): NumberValue {
  const [a, b, c] = values;
  const value = scalarFunctions[fn].evaluate(a!.value, b?.value ?? 0, c?.value ?? 0);
  if (values.every(({ label }) => label === undefined)) return { kind: "number", value };
  const text = (number: NumberValue): string => number.label ?? String(number.value);
  const signs: Partial<Record<ScalarFunction, string>> = {
    add: "+",
    sub: "-",
    mul: "*",
    div: "/",
    pow: "^",
  };
  const sign = signs[fn];
  const label = sign ? `${text(a!)} ${sign} ${text(b!)}` : `${fn}(${values.map(text).join(", ")})`;
  return { kind: "number", value, label };
}

function initializers(
  fn: ScalarFunction,
  operands: readonly OperandPlace[],
  what: string,
  frame: Frame,
): CompileValue {
  const inputs: Initializer[] = [];
  for (const { value, span } of operands) {
    const initializer = toInitializer(value, frame);
    if (!initializer) {
      const found = kindNames[value.kind];
      return report(
        frame,
        messages.wrongKind({
          what: `an operand of ${what}`,
          expected: "a number or an initialiser",
          found,
        }),
        [{ span, text: `this is ${found}, beside an initialiser` }],
      );
    }
    inputs.push(initializer);
  }
  return { kind: "initializer", initializer: { kind: "map", fn, inputs } };
}

/** A value as a parameter's start: a number, an initialiser, or a tensor made of positions and constants. */
export function toInitializer(value: CompileValue, frame: Frame): Initializer | null {
  if (value.kind === "number") return { kind: "constant", value: value.value };
  if (value.kind === "initializer") return value.initializer;
  return value.kind === "tensor" ? tensorInitializer(value.id, frame) : null;
}

function tensorInitializer(id: ValueId, frame: Frame): Initializer | null {
  const node = frame.builder.producer(id);
  if (node?.op === "constant") return { kind: "constant", value: node.attributes.value };
  if (node?.op === "iota") return { kind: "iota", axis: node.attributes.axis.name };
  if (node?.op !== "map") return null;
  const inputs = node.inputs.map((input) => tensorInitializer(input, frame));
  if (inputs.some((input) => input === null)) return null;
  return { kind: "map", fn: node.attributes.fn, inputs: inputs as Initializer[] };
}

/** Checks that axes of one name have one size; reports the first that do not, with where both came from. */
export function alignable(
  ids: readonly ValueId[],
  operands: readonly OperandPlace[],
  span: Span,
  frame: Frame,
): boolean {
  const { builder } = frame;
  for (const [i, id] of ids.entries()) {
    for (const axis of builder.type(id).axes) {
      for (const [j, other] of ids.slice(0, i).entries()) {
        const match = findAxis(builder.type(other), axis.name);
        if (!match || match.size === axis.size) continue;
        const sides = {
          axis: axis.name,
          left: match.label ?? match.size,
          right: axis.label ?? axis.size,
        };
        report(
          frame,
          messages.axisSizeMismatch(sides),
          [
            { span: operands[i]!.span, text: showAxes(builder.type(id).axes) },
            { span: operands[j]!.span, text: showAxes(builder.type(other).axes) },
            ...originLabel(frame, other),
            ...originLabel(frame, id),
          ].filter(
            (label, k, all) =>
              all.findIndex(
                (l) => l.span.start === label.span.start && l.span.source === label.span.source,
              ) === k,
          ),
        );
        return false;
      }
    }
  }
  const axes = unionAxes(ids.map((id) => builder.type(id).axes));
  const count = elementCount({ dtype: "float", axes });
  if (count <= mostElements) return true;
  report(frame, messages.tooLarge({ found: showAxes(axes), count: count.toExponential(1) }), [
    { span, text: "made here" },
  ]);
  return false;
}

const binaryFunctions: Readonly<Record<string, ScalarFunction>> = {
  "+": "add",
  "-": "sub",
  "*": "mul",
  "/": "div",
  "^": "pow",
  "<": "lt",
  "<=": "le",
  ">": "gt",
  ">=": "ge",
  "==": "eq",
  "!=": "ne",
};

/** `left operator right`. */
export function applyBinary(
  operator: string,
  left: OperandPlace,
  right: OperandPlace,
  span: Span,
  frame: Frame,
): CompileValue {
  const [a, b] = [left.value, right.value];
  if (a.kind === "list" && b.kind === "list" && operator === "+")
    return { kind: "list", items: [...a.items, ...b.items] };
  if (a.kind === "list" && b.kind === "number" && operator === "*")
    return repeat(a.items, b, right.span, frame);
  if (b.kind === "list" && a.kind === "number" && operator === "*")
    return repeat(b.items, a, left.span, frame);
  if (isAxes(a) && isAxes(b) && operator === "-") return axesWithout(a, b);
  if (operator === "==" || operator === "!=") {
    const equal = sameConstant(a, b);
    if (equal !== null) return { kind: "boolean", value: operator === "==" ? equal : !equal };
  }
  if (operator === "and" || operator === "or") return logic(operator, left, right, frame);
  const fn = binaryFunctions[operator]!;
  const result = applyScalar(fn, [left, right], `\`${operator}\``, span, frame);
  const compares = !"+-*/^".includes(operator);
  return compares && result.kind === "number"
    ? { kind: "boolean", value: result.value !== 0 }
    : result;
}

const isAxes = (value: CompileValue): boolean => value.kind === "axes" || value.kind === "axis";

function axesWithout(a: CompileValue, b: CompileValue): CompileValue {
  const drop =
    b.kind === "axis" ? [b.name] : b.kind === "axes" ? b.axes.map((axis) => axis.name) : [];
  const from = a.kind === "axes" ? a.axes : [];
  return { kind: "axes", axes: from.filter((axis) => !drop.includes(axis.name)) };
}

/** Longest list a pattern may grow to: deeper models are slips. */
const longestList = 100_000;

function repeat(
  items: readonly CompileValue[],
  times: NumberValue,
  span: Span,
  frame: Frame,
): CompileValue {
  const count = times.value;
  if (!Number.isSafeInteger(count) || count < 0 || count * items.length > longestList)
    return report(
      frame,
      messages.wrongKind({
        what: "the number of repeats",
        expected: `a whole number up to ${longestList}`,
        found: String(count),
      }),
      [{ span, text: "repeats" }],
    );
  return { kind: "list", items: Array.from({ length: count }, () => items).flat() };
}

function sameConstant(a: CompileValue, b: CompileValue): boolean | null {
  if (a.kind === "none" || b.kind === "none") return a.kind === b.kind;
  if (a.kind === "text" && b.kind === "text") return a.value === b.value;
  if (a.kind === "boolean" && b.kind === "boolean") return a.value === b.value;
  return null;
}

function logic(
  operator: "and" | "or",
  left: OperandPlace,
  right: OperandPlace,
  frame: Frame,
): CompileValue {
  for (const { value, span } of [left, right]) {
    if (value.kind === "error") return errorValue;
    if (value.kind !== "boolean")
      return report(
        frame,
        messages.wrongKind({
          what: `an operand of \`${operator}\``,
          expected: "true or false",
          found: kindNames[value.kind],
        }),
        [{ span, text: kindNames[value.kind] }],
      );
  }
  const [a, b] = [left.value, right.value].map((value) => value.kind === "boolean" && value.value);
  return { kind: "boolean", value: operator === "and" ? a! && b! : a! || b! };
}
