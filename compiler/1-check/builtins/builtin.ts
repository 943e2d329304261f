/** What a built-in function is: its parameters, its documentation, and what it builds. */

import type { CallExpression, Expression, Span } from "../../../grammar/ast.js";
import { messages } from "../../diagnostics/messages.generated.js";
import type { ValueId } from "../../ir/graph.js";
import { findAxis, showAxes } from "../../ir/types.js";
import { type Frame, originLabel, report } from "../elaborate/frame.js";
import { type Expected, asAxisNames, asTensor } from "../elaborate/kinds.js";
import type { CompileValue } from "../values.js";

export interface BuiltinParameter {
  readonly name: string;
  readonly expected: Expected;
  readonly optional: boolean;
}

export interface GivenArgument {
  readonly value: CompileValue;
  readonly span: Span;
  readonly expression: Expression;
}

export interface BuiltinCall {
  readonly name: string;
  readonly frame: Frame;
  readonly call: CallExpression;
  readonly given: ReadonlyMap<string, GivenArgument>;
}

export interface Builtin {
  readonly usage: string; // `dot(a, b, over)`
  readonly doc: string;
  readonly parameters: readonly BuiltinParameter[];
  readonly run: (call: BuiltinCall) => CompileValue;
}

/** `["x tensor", "over axes ?"]` as parameters. */
export function parameters(...rows: readonly string[]): BuiltinParameter[] {
  return rows.map((row) => {
    const [name, expected, optional] = row.split(" ");
    return { name: name!, expected: expected as Expected, optional: optional === "?" };
  });
}

/** The tensor given for a parameter. */
export function tensor({ given, frame }: BuiltinCall, name: string): ValueId {
  return asTensor(given.get(name)!.value, frame)!;
}

/** The axis names given for a parameter, all of which `operand` must have; null when one is missing (reported). */
export function axesOf(call: BuiltinCall, name: string, operand: string): string[] | null {
  const argument = call.given.get(name)!;
  const names = asAxisNames(argument.value);
  const id = tensor(call, operand);
  const type = call.frame.builder.type(id);
  const missing = names.find((axis) => !findAxis(type, axis));
  if (missing === undefined) return names;
  const place = call.given.get(operand)!;
  report(
    call.frame,
    messages.missingAxis({ op: call.name, axis: missing }),
    [
      { span: place.span, text: `has no axis \`${missing}\`: ${showAxes(type.axes)}` },
      ...originLabel(call.frame, id).filter((label) => label.span.start !== place.span.start),
    ],
    type.axes.length > 0
      ? `its axes are ${type.axes.map((axis) => `\`${axis.name}\``).join(", ")}`
      : undefined,
  );
  return null;
}

/** The one axis given for a parameter, which `operand` must have; null when it is not one (reported). */
export function axisOf(call: BuiltinCall, name: string, operand: string): string | null {
  const names = axesOf(call, name, operand);
  return names === null ? null : single(call, name, names);
}

/** The only one of the names given for a parameter; null when there are none or several (reported). */
export function single(call: BuiltinCall, name: string, names: readonly string[]): string | null {
  if (names.length === 1) return names[0]!;
  const found = names.length === 0 ? "no axis" : `${names.length} axes`;
  report(call.frame, messages.wrongKind({ what: `\`${name}\``, expected: "one axis", found }), [
    { span: call.given.get(name)!.span, text: found },
  ]);
  return null;
}

export function numberOf(call: BuiltinCall, name: string): number | null {
  const value = call.given.get(name)?.value;
  return value?.kind === "number" ? value.value : null;
}

export function truth(call: BuiltinCall, name: string, otherwise: boolean): boolean {
  const value = call.given.get(name)?.value;
  return value?.kind === "boolean" ? value.value : otherwise;
}
