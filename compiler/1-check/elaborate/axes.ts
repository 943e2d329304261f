/** Axes in brackets: `[heads, key]`, `[..axes, taps: 4]`. */

import type { AxesLiteral, AxisEntry, Span } from "../../../grammar/ast.js";
import { messages } from "../../diagnostics/messages.generated.js";
import { instead, suggest } from "../../diagnostics/suggest.js";
import type { Axis } from "../../ir/types.js";
import type { CompileValue, NumberValue } from "../values.js";
import { type Frame, giveUp, lookup, report, visibleNames } from "./frame.js";

/** Axes that the compiler adds around a token's value. */
export const reservedAxes: ReadonlySet<string> = new Set([
  "batch",
  "time",
  "slots",
  "choice",
  "chunk",
  "position",
  "source",
  "step",
  "picks",
  "past",
  "erase",
  "row",
  "column",
]);

/** A number as an axis' size: whole and positive, or reported. */
export function axisSize(name: string, number: NumberValue, span: Span, frame: Frame): Axis | null {
  const { value, label } = number;
  if (label !== undefined) return { name, size: Math.max(1, Math.round(value)), label };
  if (Number.isSafeInteger(value) && value >= 1) return { name, size: value };
  report(frame, messages.badSize({ name, value: formatNumber(value) }), [
    { span, text: `${formatNumber(value)} elements` },
  ]);
  return null;
}

function formatNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
}

/** The axis called `name`: an axis parameter of that name, or the size of that name. */
export function namedAxis(name: string, span: Span, frame: Frame): CompileValue {
  const value = lookup(frame, name);
  if (value?.kind === "axis" || value?.kind === "axes" || value?.kind === "error") return value;
  if (reservedAxes.has(name))
    return report(frame, messages.reservedAxis({ name }), [
      { span, text: "added by the compiler" },
    ]);
  if (value === undefined && isLayer(name, frame))
    return report(
      frame,
      messages.wrongKind({ what: `\`${name}\``, expected: "an axis", found: "a layer" }),
      [{ span, text: "this is a layer" }],
    );
  if (value?.kind === "number") {
    const axis = axisSize(name, value, span, frame);
    if (axis) return { kind: "axes", axes: [axis] };
    giveUp(frame, name);
    return { kind: "error" };
  }
  return { kind: "axis", name, size: null };
}

/** Layers of models begin with a capital; an axis may well be called `conv`, as the function is. */
function isLayer(name: string, { environment }: Frame): boolean {
  return /^[A-Z]/.test(name) && environment.declarations.layers.has(name);
}

function entryAxes(entry: AxisEntry, frame: Frame): readonly Axis[] | null {
  const { value, size, span } = entry;
  if (value.kind !== "name") {
    const result = frame.environment.elaborator.evaluate(value, frame, "axes");
    if (result.kind === "axes") return result.axes;
    if (result.kind !== "error")
      report(
        frame,
        messages.wrongKind({ what: "this", expected: "an axis", found: "something else" }),
        [{ span, text: "not an axis" }],
      );
    return null;
  }
  if (size !== null) {
    if (reservedAxes.has(value.name)) {
      report(frame, messages.reservedAxis({ name: value.name }), [
        { span, text: "added by the compiler" },
      ]);
      return null;
    }
    const number = frame.environment.elaborator.evaluate(size, frame, "number");
    if (number.kind === "number") {
      const axis = axisSize(value.name, number, size.span, frame);
      return axis ? [axis] : null;
    }
    if (number.kind !== "error")
      report(
        frame,
        messages.wrongKind({
          what: `the size of \`${value.name}\``,
          expected: "a number",
          found: "something else",
        }),
        [{ span: size.span, text: "not a number" }],
      );
    return null;
  }
  const found = namedAxis(value.name, value.span, frame);
  if (found.kind === "axes") return found.axes;
  if (found.kind === "axis" && found.size !== null) return [{ name: found.name, size: found.size }];
  if (found.kind === "axis") {
    const near = suggest(value.name, visibleNames(frame));
    report(
      frame,
      messages.unknownAxis({ name: value.name }),
      [{ span: value.span, text: "no number of this name" }],
      near ? instead(near, value.span) : undefined,
    );
  }
  return null;
}

/** The axes a bracket stands for; a mistake is reported and gives an error value. */
export function evaluateAxes(literal: AxesLiteral, frame: Frame): CompileValue {
  const axes: Axis[] = [];
  let failed = false;
  for (const entry of literal.entries) {
    const found = entryAxes(entry, frame);
    if (!found) failed = true;
    for (const axis of found ?? []) {
      if (axes.some((other) => other.name === axis.name)) {
        failed = true;
        report(frame, messages.duplicateAxis({ axis: axis.name }), [
          { span: entry.span, text: "again here" },
        ]);
      } else axes.push(axis);
    }
  }
  return failed ? { kind: "error" } : { kind: "axes", axes };
}
