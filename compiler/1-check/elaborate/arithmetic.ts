/** Elementwise arithmetic over everything it is defined for: numbers, tensors, initialisers, lists, axes. */

import type { Span } from "../../../grammar/ast.js";
import { messages } from "../../diagnostics/messages.generated.js";
import type { ValueId } from "../../ir/graph.js";
import { type ScalarFunction, scalarFunctions } from "../../ir/scalar-functions.js";
import {
  type Axis,
  elementCount,
  findAxis,
  showAxes,
  unionAxes,
  withoutAxes,
} from "../../ir/types.js";
import {
  type CompileValue,
  type NumberValue,
  errorValue,
  kindNames,
  tensorValue,
} from "../values.js";
import { type Frame, originLabel, report } from "./frame.js";
import { initializers } from "./initializers.js";
import { asTensor } from "./kinds.js";
import { joined, repeat } from "./lists.js";

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

/** A size's text is for people: what is longer says less than its dots. */
const longestLabel = 100;

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
  return { kind: "number", value, label: label.length > longestLabel ? "…" : label };
}

/** Checks that axes of one name have one size; reports the first that do not, with where both came from. */
export function alignable(
  ids: readonly ValueId[],
  operands: readonly OperandPlace[],
  span: Span,
  frame: Frame,
  except: readonly string[] = [],
): boolean {
  const { builder } = frame;
  const axesOf = (id: ValueId): Axis[] => withoutAxes(builder.type(id).axes, except);
  for (const [i, id] of ids.entries()) {
    for (const axis of axesOf(id)) {
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
  return fitsMemory(unionAxes(ids.map(axesOf)), span, frame);
}

/** Reports a tensor that no machine could hold. */
export function fitsMemory(axes: readonly Axis[], span: Span, frame: Frame): boolean {
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
    return joined(a.items, b.items, span, frame);
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
