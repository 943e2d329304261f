/** What a parameter expects of its argument, and how an argument is brought to it. */

import type { Span } from "../../../grammar/ast.js";
import { messages } from "../../diagnostics/messages.generated.js";
import type { ValueId } from "../../ir/graph.js";
import type { Axis } from "../../ir/types.js";
import { type CompileValue, type RecipeValue, kindNames } from "../values.js";
import { type Frame, report } from "./frame.js";

export type Expected =
  | "any"
  | "tensor"
  | "number"
  | "boolean"
  | "text"
  | "axis"
  | "axes"
  | "axis?"
  | "layer"
  | "layers"
  | "number?"
  | "axes?";

/** The kinds that a header can say of a parameter, `blocks: layers`, and what they expect. */
export const parameterKinds: Readonly<Record<string, Expected>> = {
  layer: "layer",
  layers: "layers",
  axis: "axis",
  axes: "axes",
  number: "number",
  int: "number",
  float: "number",
  bool: "boolean",
  text: "text",
};

export const expectedNames: Readonly<Record<Expected, string>> = {
  any: "a value",
  tensor: "a tensor",
  number: "a number",
  "number?": "a number or none",
  boolean: "true or false",
  text: "a text",
  axis: "an axis",
  "axis?": "an axis or none",
  axes: "axes",
  "axes?": "axes or none",
  layer: "a layer",
  layers: "a list of layers",
};

/** True when the argument stands for axes, so that a bare name in it names one. */
export function wantsAxes(expected: Expected | undefined): boolean {
  return expected === "axis" || expected === "axes" || expected === "axis?" || expected === "axes?";
}

/** Whether a value is of an expected kind; numbers are tensors too. */
export function fits(value: CompileValue, expected: Expected): boolean {
  if (value.kind === "error") return true;
  switch (expected) {
    case "any":
      return true;
    case "tensor":
      return ["tensor", "state", "number"].includes(value.kind);
    case "number":
      return value.kind === "number";
    case "number?":
      return value.kind === "number" || value.kind === "none";
    case "boolean":
      return value.kind === "boolean";
    case "text":
      return value.kind === "text";
    case "axis":
      return value.kind === "axis" || (value.kind === "axes" && value.axes.length === 1);
    case "axis?":
      return value.kind === "none" || fits(value, "axis");
    case "axes":
      return value.kind === "axis" || value.kind === "axes";
    case "axes?":
      return value.kind === "none" || fits(value, "axes");
    case "layer":
      return value.kind === "recipe";
    case "layers":
      return (
        value.kind === "recipe" ||
        (value.kind === "list" && value.items.every((item) => fits(item, "layer")))
      );
  }
}

/** Reports `wrong-kind` unless the value fits. */
export function expectKind(
  value: CompileValue,
  expected: Expected,
  what: string,
  span: Span,
  frame: Frame,
): boolean {
  if (value.kind === "error") return false;
  if (fits(value, expected)) return true;
  const found = kindNames[value.kind];
  report(frame, messages.wrongKind({ what, expected: expectedNames[expected], found }), [
    { span, text: `this is ${found}` },
  ]);
  return false;
}

/** The tensor a value stands for: a tensor itself, a state's current value, or a constant. */
export function asTensor(value: CompileValue, frame: Frame): ValueId | null {
  switch (value.kind) {
    case "tensor":
      return value.id;
    case "state":
      return frame.stateValues[value.index]!;
    case "number":
      return frame.builder.constant(value.value);
    default:
      return null;
  }
}

/** Names of the axes of an axis or axes value. */
export function asAxisNames(value: CompileValue): string[] {
  if (value.kind === "axis") return [value.name];
  if (value.kind === "axes") return value.axes.map((axis) => axis.name);
  return [];
}

/** The axes with their sizes; an axis whose size is unknown is left out. */
export function asAxes(value: CompileValue): Axis[] {
  if (value.kind === "axes") return [...value.axes];
  if (value.kind === "axis" && value.size !== null) return [{ name: value.name, size: value.size }];
  return [];
}

export function asLayers(value: CompileValue): RecipeValue[] {
  if (value.kind === "recipe") return [value];
  if (value.kind === "list") return value.items.filter((item) => item.kind === "recipe");
  return [];
}

export function asNumber(value: CompileValue | undefined): number | null {
  return value?.kind === "number" ? value.value : null;
}

export function asBoolean(value: CompileValue | undefined): boolean {
  return value?.kind === "boolean" && value.value;
}
